"""Endings of domains, and names with a dot that are no domains."""

from typing import Final

from unora_text.lists import listed

_COUNTRIES = (
    "ac ad ae af ag ai al am ao ar as at au aw az ba bb bd be bf bg bh bi bj bm bn bo br bs bt bw by bz "
    "ca cc cd cf cg ch ci ck"
    " cl cm cn co cr cu cv cw cx cy cz de dj dk dm do dz ec ee eg er es et eu fi fj fk fm fo fr ga gd ge "
    "gf gg gh gi gl gm gn gp"
    " gq gr gs gt gu gw gy hk hm hn hr ht hu id ie il im in io iq ir is it je jm jo jp ke kg kh ki km kn "
    "kp kr kw ky kz la lb lc"
    " li lk lr ls lt lu lv ly ma mc md me mg mh mk ml mm mn mo mp mq mr ms mt mu mv mw mx my mz na nc ne "
    "nf ng ni nl no np nr nu"
    " nz om pa pe pf pg ph pk pl pm pn pr ps pt pw py qa re ro rs ru rw sa sb sc sd se sg sh si sk sl sm "
    "sn so sr ss st su sv sx"
    " sy sz tc td tf tg th tj tk tl tm tn to tr tt tv tw tz ua ug uk us uy uz va vc ve vg vi vn vu wf ws ye yt za zm zw"
)
_GENERIC = (
    "com net org info biz edu gov int mil name pro mobi asia cat coop jobs tel travel museum aero "
    "example test invalid onion local"
    " localhost xyz online site website web club shop store page pages link links bio blog dev app apps "
    "cloud live life fun space"
    " tech art arts world earth global group social chat dating date love sexy sex singles wtf lol rip "
    "ninja guru expert zone"
    " today news media press photo photos photography pics pictures gallery camera studio design designs "
    "graphics music band audio"
    " video film movie theater games game play software systems network email mail host hosting domains "
    "codes computer science"
    " school academy college university training coach coaching fitness yoga run bike golf football "
    "soccer tennis ski surf fish"
    " dog cat pet pets vet garden flowers farm food kitchen recipes cooking restaurant cafe coffee pizza "
    "bar pub beer wine vin"
    " vodka menu catering fashion clothing boutique shoes jewelry beauty hair salon tattoo spa health "
    "care clinic dental doctor"
    " company agency consulting partners services solutions support tools works work team one two plus "
    "top best vip cool new now"
    " here wiki how guide tips review reviews buzz click download stream rocks red blue pink black green "
    "ink paris london berlin"
    " koeln cologne hamburg bayern wien tirol saarland ruhr nrw amsterdam brussels vlaanderen gent frl "
    "barcelona madrid cat gal"
    " eus bzh alsace corsica roma miami nyc vegas boston rio tokyo osaka moscow istanbul swiss scot "
    "wales irish quebec africa"
    " lat house homes home apartments estate land city town place direct directory express delivery "
    "market marketing events party"
    " wedding gift gifts cards toys kids baby family mom dad men ist gmbh ltd llc inc icu cyou sbs lgbt "
    "gay bet casino poker"
    " lawyer cash money fund finance bank credit tax foundation charity church faith bible community foo "
    "zip mov day dad prof"
    " phd esq meme ing eat fly boo rsvp channel soy how"
)
_LOCAL = (
    "рф рус бел укр срб мкд бг қаз онлайн сайт дети москва ею ευ ελ"
    " 中国 中國 公司 网络 网址 在线 香港 台灣 日本 世界 みんな コム "
    "한국 닷컴 भारत مصر"
)
TLDS: Final = listed(f"{_COUNTRIES} {_GENERIC} {_LOCAL}")
CLEAR_TLDS: Final = listed(
    "com net org info biz eu de fr uk nl pt br ch co ar mx pl cz dk fi ru jp cn ca au ie lu li cl pe ve "
    "ec uy hu ro gr tr se"
    " example test online xyz site website blog dev app io tv fm gg ly ee cc ws kr in.net рф рус com.br co.uk"
)
"""Endings that are hardly a word: a spelled dot before them is enough."""

TIES: Final = listed(
    "node.js vue.js next.js nuxt.js react.js three.js d3.js p5.js express.js asp.net vb.net ml.net "
    "paint.net socket.io itch.io"
    " draw.io will.i.am last.fm chess.com lichess.org booking.com readme.md changelog.md main.py "
    "setup.py manage.py index.html"
    " robots.txt config.sys command.com autoexec.bat win.ini hello.c main.c main.go main.rs lib.rs "
    "mod.rs index.js script.js"
    " style.css styles.css app.js dr.oetker dr.martens vs.code st.pauli mt.everest bashrc vimrc "
    "wikipedia.org archive.org"
    " imdb.com tea.earl hal.py package.json makefile.am a.out e.g i.e"
)
"""Names of programs, files and well-known sites: topics, where nobody is found."""
FILES: Final = listed(
    "js ts jsx tsx css html htm txt pdf doc docx xls xlsx csv json xml yml yaml toml ini cfg conf log "
    "exe dll bat sys bin iso"
    " jpg jpeg gif png svg bmp tif tiff raw dng psd mp3 mp4 wav flac ogg mid avi mkv mov tar gz rar zip "
    "jar java cpp hpp cs go"
    " rb php swift kt lua vim bashrc vimrc emacs gitignore env lock md py rs sh tex ipynb"
)
"""Ends of names of files. A few are endings of domains too; without a path or a second dot they are files."""
