"""Words that the generated text is made of.

Names come in two halves that share nothing: one for training, one for the blind tests (see `half`).
Everything is invented or a plain dictionary word; no person, company or place is meant, and towns serve as bare names.
"""

from __future__ import annotations

KINDS = "PDQJHOSBTCVYE"

# every fourth entry of these lists belongs to the blind tests alone
FIRST = """Anna Peter Laura James Maria David Julia Thomas Sarah Michael Emma Robert Clara Daniel Helen Martin Nina Paul Eva
George Alice Simon Ruth Frank Irene Oscar Diana Victor Sophie Henry Carla Leon Teresa Hugo Monica Adam Rosa Felix Janet
Edward Olga Philip Linda Arthur Greta Samuel Ellen Walter Judith Kevin""".split()
LAST = """Smith Jones Taylor Brown Walker Evans Roberts Wright Green Baker Carter Cooper Ward Turner Hill Morris Clark Lewis
Young Allen Scott Adams Parker Collins Cook Bell Murphy Bailey Kelly Howard Cox Richardson Watson Brooks Gray Price Bennett
Wood Barnes Ross Henderson Coleman Jenkins Perry Powell Long Patterson Hughes Butler Simmons""".split()
NAMEWORDS = """Alder Amber Anchor Arrow Aspen Atlas Beacon Birch Bridge Cedar Cobalt Comet Compass Copper Coral Crystal Delta
Eagle Ember Falcon Forest Garnet Glacier Granite Harbor Harvest Heron Horizon Indigo Ivory Jasper Juniper Lantern Laurel
Lotus Maple Marble Meadow Mercury Meteor Mosaic Nimbus Nova Oak Olive Onyx Opal Orbit Orchid Osprey Pearl Phoenix Pine
Prairie Quartz Raven River Robin Ruby Saffron Sapphire Sierra Silver Sparrow Spruce Summit Swift Tundra Valley Vega Walnut
Willow Zephyr""".split()
TOWNS = """London Berlin Vienna Madrid Oslo Dublin Prague Lisbon Zurich Milan Hamburg Leeds Bristol Boston Denver Lyon Porto
Turin Graz Basel Ghent Cork Bergen Malmo Utrecht Seville Krakow Riga Tampere Dresden York Derby Exeter Bath Lille Nantes
Parma Verona Linz Bremen""".split()
MATERIALS = """steel aluminium copper brass glass oak pine leather cotton wool nylon rubber granite marble bronze titanium
carbon ceramic concrete plastic linen silk zinc tin""".split()
COLOURS = "red blue green yellow black white grey brown orange purple silver pink".split()

# syllables of made-up names: the first list for training, the second for the blind tests
SYLLABLES = (
    """bal ber bor cal cor dan dar del dor fal fen gar gol hal har jor kal ker kor lan lem lor mal mar mor nal nor pal per
    pol ran rel ros sal sel sor tal tam ter tor val ven vor wel wes zan ta ve ri no la mi ka do re lu si ba ne to ra go
    """.split(),
    """bren bru cas chel cli dro drim esk fin flo fri gle gri hest hul ister jas kes klu kri lind lis mev mul nim nev ost pem
    pli quil rus rim skel stro sut thi tul ulm vic vis wic wyn yar yel zim zu fu he ju pe wi xo ze ky""".split(),
)

TEAMS = """payroll purchasing quality safety logistics finance legal sales training archive data facility security marketing
research planning audit service claims fleet laboratory packaging pension privacy procurement warehouse works export import
recruiting""".split()
EQUIPMENT = """pump freezer mixer boiler oven press crane lift scanner printer conveyor compressor furnace tank centrifuge
incubator lathe saw dryer filter generator refrigerator turbine autoclave sensor server truck loader grinder cooler""".split()
GOODS = "lamp filter cable gel sensor valve paint kit chair desk jacket pump drill tent bicycle kettle".split()
VEHICLES = "truck van car bus tractor ship ferry trailer train lorry".split()
EVENTS = "conference fair festival workshop summit exhibition gala concert congress open day".split()
MONTHS = "January February March April May June July August September October November December".split()
WEEKDAYS = "Monday Tuesday Wednesday Thursday Friday".split()
COMPANY = "Ltd,Logistics,Group,Systems,Partners,and Sons,Inc,GmbH,Foods,Trading,Services,Bank,Works,Media".split(",")

ADJECTIVES = """annual average daily external final fixed formal general gross internal legal local lower main maximum minimum
monthly net new nominal official old planned previous primary public quarterly regional second standard technical temporary
total upper usual weekly yearly""".split()
# attributes of the open kinds of fact, by kind of value
ATTRIBUTES = {
    "dur": """trial period,retention time,contract term,probation period,lead time,waiting time,processing time,service life,
    validity,test phase,drying time,storage period,payment period,transition period,construction time,term,lifetime,
    runtime,maternity leave,qualification period,expected life,holding period""",
    "amt": """price,cost,fee,budget,charge,deposit,rent,turnover,tariff,payment,balance,premium,value,subsidy,grant,loan,
    allowance,compensation,surcharge,tax,excess,wage,donation,profit,loss,investment,toll,fare""",
    "pct": """share,rate,margin,discount,quota,ratio,tolerance,score,growth,yield,interest rate,error rate,reject rate,humidity,
    attendance,occupancy,efficiency,moisture,alcohol content,recycling share""",
    "kg": "weight,mass,load,payload,net weight,yearly harvest,feed ration,stock,residue,tare weight,lifting capacity",
    "num": "output,stock,demand,circulation,capacity,order quantity,reserve,daily production,print run,consumption,inventory",
    "num2": """number of rooms,number of employees,headcount,page count,number of copies,number of windows,score,rank,index,
    frequency,number of seats,number of branches,number of lanes,sequence number""",
    "code": """reference,file number,classification,order number,postcode,account number,room number,part number,access code,
    tax number,project code,catalogue number,invoice number,licence number,contract number,symbol,grade""",
    "temp": "temperature,melting point,boiling point,freezing point,flow temperature,cabin temperature,setpoint,flash point",
    "mm": "height,width,depth,length,diameter,thickness,clearance,wall thickness,range,distance,altitude,radius,wheelbase",
    "kw": "power,rated power,output power,heating power,peak load,cooling capacity,standby power",
    "date": """start date,end date,due date,date of issue,opening date,closing date,renewal date,delivery date,inspection date,
    payment date,birthday,cut-off date,submission date""",
    "freq": "meeting cycle,inspection interval,reporting interval,cleaning interval,update cycle,payment rhythm,audit cycle",
    "time": "starting time,closing time,departure time,arrival time,lunch break,check-in time,landing time",
    "place": "birthplace,place of work,registered office,destination,origin,home port,branch,place of issue,location",
    "org": "supplier,insurer,bank,manufacturer,distributor,publisher,employer,partner,carrier,client,owner",
    "doc": "basis,legal basis,source,guideline,rule book,main reference,handbook",
    "col": "colour,paint,main colour,background colour",
    "mat": "material,coating,lining,fabric,raw material",
    "gb": "memory,disk space,data volume,upload limit,cache size",
}
ROLES = """accountant adviser auditor architect broker buyer caretaker clerk coach consultant controller coordinator
curator custodian director editor engineer examiner founder guardian inspector instructor lawyer liaison librarian mediator
mentor moderator negotiator notary nurse officer planner recorder registrar reviewer secretary spokesman steward supervisor
technician treasurer trustee tutor warden chairman captain doctor patron agent tester owner cashier""".split()
PARTICIPLES = """accepted adjusted announced archived assembled assessed assigned audited blocked cancelled certified
checked cleaned cleared closed collected confirmed converted copied corrected declined delivered described designed destroyed
developed discovered documented donated drafted examined extended filed finished financed graded handled imported insured invented
labelled licensed listed measured moved noted opened ordered packed patented planned presented produced published purchased
reduced registered rejected renamed renewed repaired requested restored returned revised sampled scanned sealed selected
signed sorted stamped suspended tested traced transferred updated upgraded validated verified weighed withdrawn painted
inherited photographed reported stopped unlocked visited""".split()

# plain prose: nouns, verbs that form their past with -ed, adjectives
NOUNS = """access account action address agency agreement alarm animal answer application area article assistant authority baby
bag bank barrier basket bell bicycle bill bird board boat body book border bottle box bridge brush budget building business
button cable camera candidate card carpet case category centre certificate chair chamber change chapter child church circle citizen
city claim class client clock cloud coast code colour column comment committee community company complaint computer condition
contract copy corner council country course court cover crew criterion crop crowd customer cycle danger date dealer debt decision
delivery department desk device document dog door draft driver duty edge editor effect element employee employer energy engine entry
error event evidence exam example exception experiment expert factor farmer fault field figure file film filter fire fish flag flight
floor flower folder food forest form format framework function garden gate glass goal government group growth guest guide handle
harbour hazard heat holder hospital host house image impact index industry injury inspector institution insurance interest invoice
island issue item job journal judge kettle key kitchen label laboratory ladder lake lamp land language law layer leader letter
library licence light limit line list machine manager map market mask material measure meeting member memory message metal method
mill minister mirror mistake model module motor mountain museum network newspaper nurse object office operator opinion order
organ organisation oven owner packet page panel paper parent park part partner passenger passage path patient pattern payment
permit person phone picture pilot pipe plan plant platform player policy pool port portion post practice president principle
printer prison problem procedure process product profile programme project proposal protocol provider pupil purpose queue radio
rail reader receipt recipe record region register regulation relation report request requirement reserve resident resource result review
right risk river road roof room route rule safety sample scale scheme school scientist screen season seat section sector seller
sensor server service session shape sheet shelf ship shop signal site society software soil soldier solution source species
staff stage standard station storm street structure student subject summary supplier surface survey switch symbol system table tank
target teacher team technician term test text theatre theory ticket tool town track trade train tree trial trust tunnel unit
university user valve vehicle vessel village voter wall warehouse warning waste water weather website wheel window winter wire witness
wood worker workshop writer yard zone""".split()
VERBS = """accept access adapt add adjust affect allow analyse answer apply approach approve arrange assess assign assist attach avoid
block borrow call cancel capture carry cause change check claim clean clear close collect combine compare complete
confirm connect consider consult contact contain convert copy correct count cover create damage deliver describe design
destroy detect develop discover discuss display document edit enable enter establish estimate evaluate examine exclude explain
extend fill finish fix follow guide handle help identify ignore improve include inform inspect install introduce involve
join label limit list load lock maintain manage mark measure mention monitor move need number observe obtain offer open operate order
organise own pack paint perform place prepare present preserve prevent process produce promote protect prove provide publish
purchase raise reach receive recommend record recycle reduce reflect refuse regulate reject release remove renew repair replace
report represent request require restore restrict retain return review save select separate serve share sort store study
support test trace train transfer transport treat trust update use validate verify visit wash watch weigh welcome""".split()
QUALITIES = """able active additional adequate blue broken careful central certain clean clear closed cold common complete complex
critical current dangerous dark deep different difficult digital direct dry early easy effective empty entire essential exact
expensive famous fast federal final flat foreign free fresh full general global good great green hard heavy high hot human important
independent individual initial international joint large last late legal light local long loose low major medical mobile
modern narrow national natural necessary negative new normal old online open ordinary original outer personal physical poor
positive possible practical private professional proper public quick quiet rare raw real red regular reliable responsible rough
round safe separate serious sharp short significant similar simple single slow small social soft solid special specific stable
strong suitable sweet technical temporary thick thin third top typical urgent useful valid valuable visible warm weak wet white
wide wild wooden written young""".split()
GLUE = """although another because before between both cannot could does each either enough even every few first former
further hence here himself however if instead into itself just least less many might more most much neither never next nor
nothing often once only otherwise ought out over own perhaps quite rather really same second several shall should since so some
such than their them then there therefore these they this those though through thus together too toward twice under unless until
upon very was were what whatever when where whether which while who whom whose why will with within without would yes yet you
your means called known given made found held kept built said says goes gone come comes began begun became become take takes
taken took get gets got give gives gave set sets put puts run runs see seen show shows shown think thought tell told write
wrote lies lay stands stood sold bought paid sent left lost won led met brought taught""".split()

FILLERS = """Questions should be sent to the usual address.;This section was added after the last audit.;All staff must follow
these rules.;Please read the notes before you start.;The form is available on the intranet.;Exceptions need a written request.;The
list is updated from time to time.;No further action is needed.;See the annex for details.;Further information will follow.;The
rules were changed after a long discussion.;Guests must sign in at the front desk.;Copies are handed out on request.;The
meeting closed without objections.;Keep this page with your papers.;The following points were noted.;Old forms must no longer be
used.;Managers are asked to inform their teams.;This text is for information only.;Nothing else has changed since last year.;{e}
was mentioned in the minutes.;There were several questions about {e}.;{e} is described in more detail elsewhere.;A summary of {e} is
kept in the archive.;Some comments on {e} are still open.;The situation of {e} has improved.;{e} remains unchanged for now.;Staff
were informed about {e}.;A new plan for {e} is being prepared.;The board thanked everyone for the work on {e}.;It is a pity that {e}
gets so little attention.;For {e}, the usual rules apply.;Last year there was some trouble with {e}.;Nobody had expected so much
interest in {e}.;The section on {e} will be rewritten."""
FILLERS = [" ".join(f.split()) for f in FILLERS.split(";")]
OPENINGS = [
    "As a rule, ", "According to section {n}, ", "Since {y}, ", "For the time being, ", "In general, ", "As agreed, ",
    "Under the new rules, ", "At present, ", "As of {y}, ", "In line with annex {n}, ", "Please note that ",
    "For safety reasons, ", "After a long debate, it was settled that ", "Our records show that ", "In addition, ",
]  # fmt: skip
ENDINGS = [
    " until further notice", " with no exceptions", ", as confirmed by the audit", " under the current rules",
    ", according to the register", " in all cases", ", as stated in annex {n}", " at the moment", ", which is more than last year",
    ", as everyone knows", " (see page {n})",
]  # fmt: skip
HEADINGS = [
    "Data sheet: {e}.", "{e}.", "Facts about {e}.", "{e}: overview.", "Notes on {e}.", "Section {n}: {e}.", "Profile of {e}.",
    "The following applies to {e}.", "Key figures for {e}.",
]  # fmt: skip
ASKING = [
    "According to the documents, ",
    "Please tell me: ",
    "I need to know: ",
    "Quick question: ",
    "Can you tell me: ",
]

SMALLTALK = """Hello;Hi;Hi there;Good morning;Hey;Who are you?;What can you do?;What are you?;Tell me a joke;How are you?;Help;Write
a poem;Thank you;Thanks;What is your name?;Test;Are you there?;Explain yourself;What model are you?;Good evening;Can you help me?;Say
hello;Hello, how are you?;What do you know?;Write a story about a dog;How does this work?"""
SMALLTALK = [" ".join(s.split()) for s in SMALLTALK.split(";")]


def half(words: list[str], blind: bool) -> list[str]:
    """The part of a list that is for training, or for the blind tests."""
    return [w for i, w in enumerate(words) if (i % 4 == 3) == blind]
