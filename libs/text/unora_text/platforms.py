"""Where people find each other: names of platforms, and words that invite to find someone there."""

import re
from typing import Final

from unora_text.letters import without_marks
from unora_text.lists import listed


def _named(words: str) -> frozenset[str]:
    return listed(without_marks(words))


def nearly(word: str) -> bool:
    """Whether a word is a long name of a platform, but for one letter, or with letters drawn out."""
    if word in _OTHERS or len(word) < 5:
        return False
    drawn = re.sub(r"(.)\1{2,}", r"\1", word.replace("vv", "w"))
    return (drawn != word and drawn in SURE) or (7 <= len(word) <= 10 and not _shortened(word).isdisjoint(_SHORTENED))


def _shortened(word: str) -> set[str]:
    return {word, *(word[:at] + word[at + 1 :] for at in range(len(word)))}


_OTHERS = listed("telegraf telegrams telegrama telegramme telegraph telegramo telegrammi linkedins")
_SHORTENED = frozenset().union(
    *(_shortened(name) for name in ("instagram", "telegram", "whatsapp", "snapchat", "facebook", "linkedin"))
)

SURE: Final = _named(
    "fbook tlgrm tinyurl allmylinks snapcode "
    "instagram instagramm instagran instgram instagrm instagrem insta ig finsta rinsta instinha instita "
    "instagrem thegram carrd linktree linkinbio beacons snapchat snapchatt"
    " whatsapp watsapp whatsap wasap wasapp guasap guatsap whatsup whatsaap wassap wapp telegram telegramm telega tgram"
    " telegramo tiktok tictoc tiktoc facebook fb feisbuk faceboek facebok discrod dischord wechat weixin "
    "kakao kakaotalk threema viber"
    " skype onlyfans fansly venmo cashapp paypal bizum tikkie twint revolut linkedin xing bluesky bsky "
    "mastodon twitter bereal"
    " strava letterboxd goodreads storygraph spotify soundcloud bandcamp twitch youtube youtubes yt "
    "reddit psn xbox gamertag pinterest vsco tumblr"
    " flickr untappd vivino komoot github substack patreon onlyfan ravelry wattpad anobii babelio vinted "
    "wallapop depop etsy leboncoin"
    " kleinanzeigen marktplaats olx subito couchsurfing meetup vkontakte vk odnoklassniki zalo qq weibo "
    "douyin xiaohongshu naver"
    " clubhouse kik icq jodel knuddels tinder bumble hinge okcupid badoo garmin zwift alltrails "
    "inaturalist polarsteps wordpress"
    " blogspot blogger deezer lastfm shazam steamid lichess chesscom deviantart artstation behance 500px "
    "mixcloud kofi battlenet fortnite roblox minecraft duolingo trakt serializd backloggd musixmatch"
    " imessage facetime icloud hangouts teamspeak matrix mbway picpay truecaller imo botim bigolive "
    "likee kwai koo ameba mixi zap zapzap"
    " skoob filmow filmaffinity sensecraft senscritique moviepilot bookwyrm librarything lovelybooks hebban"
    " айджи инстик инстач тележка твиттер тикток фб инстаграм инстаграмм инста инсте інстаграм інста "
    "инстаграме телеграм телеграмм телега тг ватсап вотсап вацап вайбер вк вконтакте фейсбук дискорд "
    "тикток"
    " снэпчат снапчат ютуб скайп "
    " 微信 微博 小红书 抖音 薇信 威信 加v 加微 q号 qq号"
    " スナチャ スナップチャット インスタ インスタグラム カカオ カカオトーク ディスコード ツイッター"
    " 인스타 인스타그램 카톡 카카오톡 카카오 텔레그램 텔레"
    " 스냅챗 디스코드 انستقرام انستجرام انستغرام انستا إنستا إنستغرام انستاجرام "
    "تلجرام تليجرام تيليجرام"
    " تلغرام تليغرام تيليغرام واتساب واتس سناب سنابشات فيسبوك تيكتوك اينستا אינסטגרם אינסטה אינסטא טלגרם "
    "ווטסאפ וואטסאפ סנאפ סנאפצט פייסבוק טיקטוק ไอจี ไลน์ อินสตาแกรม เฟซบุ๊ก เฟส"
    " इंस्टाग्राम इंस्टा टेलीग्राम व्हाट्सएप स्नैपचैट फेसबुक ινσταγκραμ ινστα ινσταγραμ βαιμπερ "
    "φεισμπουκ ινστανγκραμ ინსტაგრამი ინსტა"
)
"""Names that are hardly used for anything else."""

HIDDEN: Final = frozenset(
    {name for name in SURE if name.isascii()}
    | listed("discord messenger telegramme threads signal snap steam line switch medium slack playstation")
)
"""What somebody hides is meant as a platform, even if the plain name might be a word."""

MEDIA: Final = listed(
    "youtube spotify strava duolingo github deezer netflix reddit pinterest twitch shazam minecraft fortnite"
)
"""Platforms of which people speak most without being there."""

UNCLEAR: Final = _named(
    "tt yt snap snapp snaps tele tg wa whats sc dc line signal steam threads switch nintendo wise zoom "
    "medium slack teams epic face direct dm dms pm mp pn"
    " inbox app playstation google hive band band live bebo meta messages ins igs insta's tw discord "
    "messenger telegramme tweet tik psnid ao3 plenty lex mail zap tel teleg"
    " ライン ツイ ティックトック ラインid 라인 트위터 ライング лс вацап снап"
)
"""Names that are words too, or too short to tell."""

NICKNAMES: Final = (
    r"(?:kleine[rsn]? |little |petit |petite )?(?:bird|birdie|duck|tweet|music|musik|musique|musica|ghost"
    r"|photo|camera|picture|pic|paper ?plane|plane|bubble|blue|yellow|green|purple|butterfly|elephant"
    r"|clock|music note"
    r"|vogel|vogerl|geist|foto|flieger|papierflieger|bilder|kamera|gelbe|blaue|lila"
    r"|oiseau|fantome|photos?|avion|papillon|pajarito|pajaro|fantasm\w*|fotos?|camarita|avioncito|mariposa"
    r"|uccellino|uccello|fantasmino|fantasma|aeroplanino|farfalla|passarinho|passaro|aviaozinho|aviao"
    r"|borboleta|spookje|spook|vogeltje|vliegtuigje|vlinder)"
)
NETWORK: Final = (
    r"(?:app|appli|application|applicazione|l'appli|l'app|aplicacion|aplicativo|apli|apje|appje|social"
    r"|socials|app'?je|network|netzwerk|fotonetzwerk|reseau|red|redes?|rete|netwerk|site|plattform"
    r"|platform)"
)

POINTERS: Final = listed(
    "id name handle user username usr nick nickname konto account accounts acc profil profile profiel "
    "perfil profilo pseudo code code's tag gamertag"
    " freundescode freundcode vriendcode amigo ami amico friend friendcode search suche such find add "
    "follow folgt folg cherche chercher busca"
    " buscame cerca cercami procura zoek look adde add's seguimi sigueme agregame anade me mich mir moi "
    "meu mein mon mi mio il minha my moi mijn"
    " same unter sous como come als as usuario usuaria utente utilizador gebruiker gebruikersnaam "
    "benutzername nutzername spitzname login ник"
    " аккаунт мой моя id号 号 アカウント 아이디"
)
"""Beside the name of a platform these words lead to the author."""

NOUNS: Final = listed(
    "worthy vs filter filters reels reel story stories ads addict feed feeds scroll scrolling server "
    "servers bot bots group groups gruppe gruppen channel"
    " channels kanal kanale videos video clips clip dances dance tanze trends trend playlists playlist "
    "tutorials tutorial recipes rezepte recettes ricette recetas receitas"
    " recepten premium wrapped account accounts detox pause pausa pauze free freie frei break dates date "
    "matches match likes like segments segment kudos kom koms reviews lists"
    " generation era style stil likes posts post pics bilder fotos foto cats cat katzen food essen ramen "
    "challenge challenges hype algorithm algorithmus memes meme hashtags"
    " with mit avec con com met while when about reste bleibt is lauft tourne says taught knows thinks "
    "owl pigeons green fears loves was used has had war ist hat hatte est etait es era fue e foi ha en y "
    "and und et of for zum zur pour para per voor in im at to or oder ou o of"
    " but aber mais pero ma mas maar is that the das die der le la el il os de da do du des den than "
    "che que qui kan kann can isn't ist's it's nee na"
    " reels-free poets poems gedichte worth geloscht deinstalliert quitte supprime desinstallee tot dead ruined killed"
)
"""Words after the name of a platform that make it a topic."""

TOPIC: Final = listed(
    "no not never without quit deleted left off instead anymore used hate hates avoid uninstalled don't "
    "dont doesn't isn't nobody gone rather over less"
    " nicht nie kein keine keinen ohne geloscht weg statt raus abgemeldet mude lieber deinstalliert nie nix"
    " pas jamais sans quitte supprime desinstalle plutot rien plus desinscrit ras adieu aucun"
    " sin nunca deje borre cerre jamas fuera tampoco adios ni dejado"
    " non mai senza via cancellato cancellata chiuso chiusa mollato invece addio basta lasciato nessun nessuno"
    " nao sem nunca larguei apaguei sai deixei troquei chega jamais abandonei nada"
    " niet nooit geen zonder verwijderd weg ipv gestopt nee liever vaarwel gewist afscheid"
    " не без удалил удалила нет"
)
"""Words that say that the author is not there."""

JOINED: Final = (
    r"\b(?:no spaces?|all one word|one word|ohne leerzeichen|zusammengeschrieben|alles zusammen"
    r"|in einem wort|sans espaces?|tout attache|en un mot|sin espacios|todo junto"
    r"|senza spazi|tutto attaccato|tutto unito|sem espacos?|tudo junto|le junto|zonder spaties?|aan elkaar"
    r"|alles aan elkaar)\b"
)
"""How to write a handle."""

SPOKEN_SIGNS: Final = (
    r"\b(?:underscores?|under score|underline|unterstrich|guion bajo|guiao baixo|trattino basso|trait bas"
    r"|tiret (?:du )?bas|liggend streepje"
    r"|laag streepje|lage streep|understreck|understrek|подчеркивание|подчерк|sottolineato|barra baixa"
    r"|barra baja|sublinhado|souligne|tiret (?=\w+ (?:arobase|@)))\b"
)
HANDLE_WORDS: Final = (
    r"\b(?:handles?|usernames?|user ?names?|user|nick(?:name)?s?|nutzername|benutzername|kontoname"
    r"|accountname|pseudo|identifiant|nom d'utilisateur|usuario|nombre de usuario"
    r"|nome utente|nickname|gebruikersnaam|nome de (?:usuario|utilizador)|utilizador|gamertag|screen ?name"
    r"|socials|redes|friend ?code"
    r"|freund(?:es)?code|vriend(?:en)?code|code ami|codigo de amig[oa]|codice amico|codigo amigo|alias|id)"
)
REACH: Final = (
    r"\b(?:find|ask|frag|fragt|demande|demandez|pregunta|preguntad|chiedi|chiedete|pergunta|vraag|add"
    r"|follow|subscribe|post|posting|dm|pm|text|message|msg|ping|write|search|look up|look for|reach"
    r"|contact|tag|friend|google|stalk|hmu|slide into|catch|check|see|join|tell|call"
    r"|such|sucht|suche|find|findest|findet|finde|add|adde|added|folg|folge|folgt|abonnier|abonniert"
    r"|abonniere|schreib|schreibt|erreichst|google|googel|googelt|kontaktier|stalk|melde? dich"
    r"|cherche|cherchez|trouve|trouvez|retrouve|retrouvez|ajoute|ajoutez|suis|suivez|abonne-toi"
    r"|abonnez-vous|ecris|ecrivez|contacte|tape|mp|rejoins"
    r"|busca|buscame|encuentra|encuentrame|agrega|agregame|anade|anademe|sigue|sigueme|seguid|suscribete"
    r"|siganme|seguidme|escribe|escribeme|contacta|contactame|googlea|pon"
    r"|cerca|cercami|cercatemi|trova|trovami|trovate|trovi|aggiungi|aggiungimi|segui|seguite|seguimi"
    r"|seguitemi|iscriviti|scrivi|scrivimi|contatta|contattami|googla"
    r"|procura|procura-me|acha|me acha|encontra|adiciona|adiciona-me|segue|segue-me|siga|escreve"
    r"|escreve-me|chama|manda|contacta-me|me chama"
    r"|abonneer|zoek|vind|vindt|voeg|volg|schrijf|stuur|app|contacteer|google"
    r"|найди|ищи|подпишись|подписывайся|пиши|добавь|добавляй)\b"
)


I_AM: Final = (
    r"(?:i am|i'm|im|ich bin|bin|heiss?e|je suis|j'suis|moi c'est|soy|estoy|me llamo|sono|mi chiamo|sou"
    r"|me chamo|estou|ik ben|ben ik|heet|sou|bin ich|heisse ich|я)"
)
ON: Final = r"(?:on|auf|bei|in|sur|en|su|no|na|op|via|per|über|uber|by|по|в|al|nel|sul|sull'|pelo|pela)"
NATURAL_BREAKS: Final = frozenset(
    {
        ("face", "book"),
        ("snap", "chat"),
        ("tik", "tok"),
        ("what", "sapp"),
        ("linked", "in"),
        ("whats", "app"),
        ("dis", "cord"),
    }
)
"""Names of platforms that are two words of their own: a break between them hides nothing."""
