"""Common words that are also names: beside them a name is not told (PR-10), unless they are introduced as a name."""

from typing import Final

_ENGLISH = """
rose joy will mark faith hope grace summer autumn winter spring april may june july august sky art bill rich frank drew chase hunter baker stone
young king dawn eve iris ivy lily daisy violet poppy holly hazel heather jasmine ginger rosemary sage basil olive ruby pearl amber jade crystal
opal coral penny melody harmony carol viola celeste star stella luna sunny misty stormy rain river brook brooke lake ocean forest glen cliff dale
heath clay reed rowan ash aspen willow laurel myrtle fern robin jay martin wren raven phoenix page rusty sandy dusty rocky buddy sonny duke earl
prince dean pat patience prudence constance charity mercy verity honor honour justice trinity destiny serenity felicity bliss blessing happy merry
gay christian victor dom guy jack jimmy nick rob bob sue peg pip dot kit max gene miles wade skip chip chuck buck bud cash chance colt dash gray
grey grant lance lane major mason cooper carter parker taylor tailor tyler tucker fisher archer sawyer walker porter turner carpenter cook smith potter
weaver butler bishop pope knight abbot abbott shepherd gardener gardner miller brewer butcher farmer bush wood woods field fields hill hills bank banks bridge
bridges brooks rivers waters marsh moore moor ford ridge church temple house hall park parks green brown black white gold golden silver bloom flower
flowers berry cherry bean rice bacon ham pepper salt sugar honey candy wolf wolfe fox hawk crane swan finch bird fish pike bass lamb hart bull drake
long short little small strong swift sharp bright wise good best love day winters snow frost storm gale cloud moon sun noon march friday monday
sunday english french irish welsh holland paris london york lincoln washington chelsea florence victoria georgia virginia carolina vienna sydney
brooklyn dakota austin houston jordan israel india china america asia africa savannah sienna geneva verona milan kent power powers price rush speed sands
case cross ball bell book booker bond bow cotton drum flint gates horn hook key lock mace mills mill nail nash oak oaks ray read reader rider ring
rolls rock root roots sail seal singer spear spears steel steele stock street summers tower towers trip tune wall walls ward ware wells west north east south wild
wilde worth moss blake bee belle pick piper dancer drummer fiddler harper hardy noble humble savage sweet sour bitter brave bold grand great free french
freeman goodman newman newton kitchen kitchens lemon apple apples peach plum pear cheese butter coffee tea garlic onion curry mint clover thorn thorne
branch branches leaf meadow meadows valley dell shore beach bay cove harbor harbour cape isle island fountain pool poole well castle palace tent barn
stable stables paddock coach driver pilot skipper sailor marine captain sergeant major judge marshal sheriff chancellor squire monk friar nun deacon
angel angels saint cherub hero champion victory triumph glory honey darling bunny kitty puppy tiger lion leo panther bear beaver badger otter squirrel
rabbit hare stag deer doe buckley cat dove pigeon crow rook heron starling sparrow nightingale partridge peacock goose gander drake teal bream herring
salmon trout crab lobster pond spring reeves reeve sales sellers chambers rooms rose's roper glover hooper dyer draper mercer chandler collier cutler fletcher
gray-hair thatcher tinker tanner slater sadler skinner wheeler wright painter player piper palmer page pages paige squires steward stewart usher waller warner
ellis dean bennet penn pitt pratt quick quill sparks sparkes flame ember blaze blazes ashe cinder smoke ember
""".split()

_GERMAN = """
felix ernst rosa viktor linde heide erika jasmin flora mai sommer herbst winter lenz mark wolf falke falk reiner rein hell frei fromm frohlich
lustig klug stark stolz kuhn kuehn wild kalt heiss schon schoen suss sauer bitter ritter graf herzog furst fuerst kaiser konig koenig papst bischof abt monch moench richter
vogt meister muller mueller schmied schmid schmidt weber schneider schreiner tischler zimmermann maurer gartner gaertner bauer hirsch hase haas lamm ochs hahn henne gans adler specht
amsel fink star storch kranich hecht karpfen krebs kafer birne apfel kirsch pflaume nuss hopfen korn reis salz pfeffer zucker butter kase brot
wein bier wurst nebel regen schnee sturm wind donner blitz mond stern sonne himmel wald feld wiese bach fluss see meer berg thal tal stein fels
sand lehm silber eisen stahl kupfer krone hammer nagel schlussel kessel topf becher teller loffel gabel messer stuhl bank tisch bett kissen
sonntag montag freitag ostern koch backer baecker fischer jager jaeger schuster vogel fuchs baum busch engel blum blume garten haus dorn rosen keller kraft lang
lange kurz kurze jung alt neu gut braun grun gruen schwarz weiss weiß rot roth blau gelb gross grosse gross klein kleine dick dunn stille still laut leise lieb
liebe freund freude friede frieden gluck glueck treu hoffnung glaube gnade segen kaufmann kramer kraemer bader sanger saenger spieler tanzer pfeifer trommler geiger fiedler hirte schafer
schaefer winzer brauer muhle muehle hof hofer acker brunner brunnen teich moor heidenreich strauss kranz zweig ast blatt wurzel rose lilie nelke veilchen iris viola
sieg sieger held kampf krieger ritter jaeger hut hose rock schuh kappel kappe jacke mantel seide wolle leder till star kai hagen ute elke marie kind mutter vater bruder
hummel biene ameise spinne floh maus ratte igel dachs marder luchs lowe loewe tiger bar baer esel pferd ross fohlen kalb stier kuh ziege bock schaf
anker segel ruder boot hafen insel strand dune ufer deich kaiser post wirt gast nachbar burger mann frau
""".split()

_FRENCH = """
pierre claire clair blanche blanc aurore rose marguerite capucine olive violette prune ambre oceane marin marine lion cerise clemence constance prudence
aime aimee parfait juste fleur lune soleil jade perle victoire esperance bienvenue bienvenu colombe iris jasmin narcisse lilas france reine roi noel pascal pascale modeste
ange angelique celeste petit petite grand grande gros noir rouge roux leroux verte vert brun bruno boulanger boucher fontaine olivier chevalier marchand mercier meunier moulin
berger bergere chasseur pecheur charpentier charron couturier cuisinier fournier fournil forgeron lefevre tailleur tisserand tonnelier potier peintre maitre abbe eveque
moine leclerc clerc prevost bailly page duc comte baron marquis prince princesse dauphin vidal martin colin merle pinson rossignol corbeau faucon aigle loup renard lievre lapin cerf biche
ours taureau mouton agneau poulain cheval poisson carpe brochet hiver printemps ete automne avril mai juin juillet aout janvier dimanche samedi vendredi
matin soir jour joie paix amour bonheur gloire grace merci bonne bon beau belle bel joli jolie gentil doux douce sage fort lefort vaillant hardi franc
bois forest foret dubois duval valle vallee val montagne mont colline roche rocher pierres rives riviere fleuve lac mer plage port pont dupont ruisseau source fontaines
champ champs jardin verger vigne vignes ferme granges grange maison chateau tour tours chapelle eglise croix roy leroy royer lambert gilles arnaud nathalie
barbe cheveux main leblanc lebrun legrand lepetit lenoir lejeune vieux jeune ancien nouveau nouvelle simple unique rare roman romane romain romaine gaulois breton bretonne normand
lorraine savoie anjou provence paris lyon orleans nantes rennes chantal melodie harmonie lyre harpe viole melanie mer alizee brise zephyr tempete orage pluie
neige glace feu flamme braise etoile etoiles ciel terre vent nuage poivre sel sucre miel vanille cannelle safran basilic thym laurier romarin sauge menthe camomille
pomme poire peche abricot figue datte noisette chataigne marron chene hetre orme frene tilleul bouleau sapin
desjardins deschamps dumont delarue duchamp duchene dujardin dumoulin dupuis dupre laforet lafontaine lavigne lariviere lacroix lacour
laplace lapierre latour lavallee leblond lecomte legris lesage letellier levasseur loiseau poirier pommier cerisier rosier prunier figuier noyer violet blond brunet
bouvier cordier couture cuvier gantier messager monnier pelletier sellier serrurier vacher verrier vigneron voisin carpentier barbier bonnet chapeau manteau sabot collet cornet
corne cloche clocher cordon fourche hache marteau maillet pique lame epee couteau cuiller poele chaudron marmite bouquet rameau racine feuille bourgeon petale epine ronce fougere
mousse lierre houx genet bruyere anemone paquerette eglantine garance hyacinthe jacinthe melisse myrtille mirabelle clementine felicite serenite modestie innocent fortune genereux placide
prosper sylvestre toussaint desire honore maxime marc jean line lise lilas opale ondine lou victor domino mathurin colette gaston coquelicot pivoine tulipe primevere dahlia camelia
magnolia bleuet bleue lavande cassis groseille framboise fraise mure citron orange mandarine melon raisin muscat cidre
cyprien lundi mardi mercredi jeudi sabine gare salle place caillou brique tuile ardoise garnier fabre favre faure rousseau caron perret perrier pernod renaud picard
""".split()

_IBERIAN = """
luz paz sol mar blanca blanco dolores rosa flor consuelo esperanza pilar remedios mercedes soledad rocio nieves estrella cielo alba aurora gloria
gracia victoria amparo milagros angustias pura puro clara claro serena sereno linda lindo bella bello alma perla jazmin margarita azucena violeta iris dulce caridad fe cruz reyes santos
leon bravo rubio rubia moreno morena delgado guerrero herrero zapatero pastor montes rios campos flores rosales torres iglesias castillo rey calvo crespo bueno franco
marino angel salvador justo domingo clemente placido maximo amado amada leal fiel prado prados vega vegas valle valles sierra serrano montana colina costa costas playa ribera rivera
fuente fuentes pozo laguna lago arroyo puente rueda molina molino romero tomillo laurel olivo oliva olivares naranjo manzano cerezo peral higuera pino pinos roble encina alamo palma
palmas cabrera vaquero toro lobo gallo gallego cordero carnero conejo zorro aguila paloma palomo gavilan halcon jabali
casa casas corral granja huerta huertas jardin plaza calle camino caminos barrio pueblo villa ciudad puerto barco vela ancla aguilar carpintero
cocinero panadero carnicero sastre tejedor pintor escudero caballero duque conde marques baron obispo abad monje cura cuesta pena penas penya piedra roca rocas
arena tierra viento lluvia nieve hielo fuego llama lumbre sombra noche dia manana tarde verano invierno primavera otono abril mayo junio julio agosto enero
bonita bonito guapo hermoso hermosa grande chico chica nino nina viejo joven nuevo nueva alegre feliz contento triste cano calle luna lucero sal pimienta azucar miel
canela azafran menta oregano ajo cebolla pan queso vino leche mercado feria fiesta pascual navidad ascension trinidad
branca branco ceu graca vitoria margarida jasmim perola bela esperanca dores prazeres reis silva oliveira pereira carvalho pinto leao coelho rocha serra
ribeiro ribeira pinheiro nogueira ramos ramo moreira cordeiro carneiro raposo preto preta rico salgado neves domingos natal pascoal lobo pena penedo macedo figueira figueiredo laranjeira limoeiro macieira pereira
cerejeira castanho castanheira sobral sobreiro loureiro salgueiro azevedo amaral pomar horta quinta campo monte vale fonte fontes poco lagoa rio mar praia areia pedra pedras pedreira barros
barro madeira ferro ferreira ferreiro sapateiro pastor caldeira caldeirao machado martelo correia faria cunha fogaca guerra paz guerreiro cavaleiro frade bispo abade cardoso espinho espinha rosas roseira
lima limao laranja maca uva uvas morango cereja melao azeite sal pimenta acucar mel canela alegria saudade amor vida sorte verdade bondade justica liberdade estrela lua sol nuvem
vento chuva neve gelo fogo chama sombra noite dia manha tarde verao inverno primavera outono aurora bravo valente forte belo bonito claro escuro santo santa anjo anjos serafim querubim cruzeiro
galinha galo pato ganso pombo pomba pardal rola melro andorinha corvo falcao aguia gaivota cegonha lebre veado touro vaca bezerro cavalo egua burro gato gata cao rato peixe truta sardinha marisco
teixeira paiva prata ouro diamante
""".split()

_ITALIAN = """
chiara chiaro bianca bianchi bianco rosa stella luna gioia grazia serena letizia fiore fiori viola margherita allegra allegro bella bello dolce felice bruno bruna marina marino alba aurora perla gemma leone
sole mare vita speranza fortuna vittoria pace angelo santo pasquale natale primo prima secondo massimo costante fausto rosso rossi rossa neri nero verde verdi ricci riccio
russo greco romano romana gallo conti conte costa ferrari ferraro ferro fontana monti monte colombo barbieri barbiere forno forni fornaro luce leggero martello martelli sarti sarto
pastore caruso villa ville torre torri castello casa casale campo campi prato prati valle valli bosco boschi selva foresta fiume fiumi lago laghi riva riviera isola sabbia pietra pietri sasso
sassi rocca rocchi ponte ponti porta porti porto piazza strada giardino giardini orto vigna vigne oliva olivieri pino pini quercia cipresso pesce pesci lupo lupi volpe orso orsi cervo
lepre coniglio agnello capra capri toro cavallo cavalli asino gatto gatti cane falco falchi aquila corvo merlo passero colomba colombi farfalla ape vespa formica grillo ragno
vento neve pioggia nebbia tuono lampo tempesta fuoco fiamma cenere terra cielo stelle marte giove venere mercurio saturno gennaio marzo aprile maggio giugno luglio agosto
domenica sabato estate inverno autunno primavera mattina sera notte giorno amore gloria onore giusto giusta santi santa re regina principe duca marchesi marchese barone vescovo abate monaco frate
papa cardinale soldati guerra guerriero capitano maestro maestri pittore fabbri fabbro muratore pellegrino pellegrini viaggiatore mugnaio molinari mulino bottaio calzolaio cuoco farina pane riso
sale pepe zucchero miele menta basilico rosmarino salvia alloro melograno mela pera pesca ciliegia limone arancia fragola mora more castagna noce noci mandorla
grande grandi piccolo piccola lungo longo corto basso alto grosso grasso magro bassi forte forti debole sano ricco poveri gentile cortese amato amata diletta caro cara cari vero vera
nuovo vecchio giovane antico moderno libero franco franca sincero costanza prudenza pia pio clemente benedetto benedetta beato beata divina celeste azzurra azzurro viola ambra ginestra mimosa dalia iris giglio ortensia
""".split()

_DUTCH = """
roos storm linde wolf beer sterre ster bloem fleur lente zomer winter jong jonge groot grote klein kleine wit witte zwart groen groene bruin rood blauw bakker visser smit smid mulder molenaar kok koning prins vos haan
berg dijk meer bos boom bosch mees merel puck pip rein floor lot bram hart zee duin maan zon sky mink boer vogel vogels schipper timmerman slager slagers schilder kuiper wever kleermaker
post veld velden akker akkers heide ven beek vliet stroom bron brug dam sluis haven eiland strand polder tuin bloemen kers appel peer pruim noot hout steen stenen zand klei
goud zilver ijzer staal koper kroon hamer spijker sleutel ketel pot beker bord lepel mes stoel bank tafel bed kussen zondag maandag vrijdag pasen kerst bakkers brood kaas boter
melk wijn bier worst zout peper suiker regen sneeuw wind donder bliksem mist hemel ster engel heer meester ridder graaf hertog keizer paus bisschop monnik rechter
leeuw tijger hert haas konijn lam schaap koe stier paard ezel varken kat hond muis rat egel das adelaar valk uil raaf kraai duif zwaan gans eend specht vink spreeuw lijster
snoek karper baars zalm haring kreeft krab kever vlinder bij wesp mier spin madelief iris lelie tulp viooltje vreugde hoop liefde vrede geluk trouw elke lief lieve mooi fijn sterk
hard zacht lang kort dik dun oud nieuw goed best vroeg laat stil luid los vast vrij kuipers jansen hendriks wouters mes jager jagers stuurman kramer snijder snijders zwager buurman
""".split()

_OTHERS = """
надежда любовь вера роман лев мир свет светлая роза лилия слава милая победа заря весна зима лето снежана солнце волк заяц соловей воробей кузнец мельник рыбак охотник
мороз роza roza wiatr kwiat slonce gwiazda nadzieja wiara milosc wilk lis zajac kowal mlynarz rybak wrobel sokol kruk golab mroz zima wiosna lato jesien dab lipa sosna gora rzeka
deniz su can gul yagmur gunes ay yildiz bulut ruzgar deniz umut baris sevgi ask hayat nur kaya dag irmak kartal aslan kurt
""".split()

_SMALL_WORDS = """
a ad al all am an and are as at ate be ben bin by can do el em en es et ha he her his ho i if il in is it la le lea lia li lo me mi mia mio mo my na ne nee no non nur of on or per sa se si sin so su tea te the
til till to tu uma und up us van via von was we what who you zu ze dag eli leo leon lola ella ida isa eva nina sara tara mara ada bea kai noa uri tom tim sam ami ana ano ina gala pia cara donna dora
lena nora tina kim min man song park son sun sunny long lee li mai my bao chi duc hoa kim lan linh nam anh vu bo jet jo jan mei ma mar dec sept may don ed else uwe eros dan der die das dem den des ein
""".split()

COMMON_WORDS: Final = frozenset(
    (
        set(_ENGLISH)
        | set(_GERMAN)
        | set(_FRENCH)
        | set(_IBERIAN)
        | set(_ITALIAN)
        | set(_DUTCH)
        | set(_OTHERS)
        | set(_SMALL_WORDS)
    )
    - {
        "ellis",
        "eva",
        "nina",
        "sara",
        "ana",
        "tim",
        "dora",
        "lena",
        "nora",
        "tina",
        "uwe",
        "lola",
        "mara",
        "ada",
        "ina",
        "anh",
        "linh",
        "nathalie",
        "sabine",
        "gilles",
        "arnaud",
        "lambert",
        "marie",
        "elke ",
    }
)
