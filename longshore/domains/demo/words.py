"""The vocabulary of the demo data: names in many scripts, addresses, and texts that need escaping.

Persons and companies are fictional; phone numbers and mail domains are reserved for examples.
"""

# ruff: noqa: RUF001 (intentional letters of other alphabets)

# Given names, family names and the format of full names, by script.
NAMES: dict[str, tuple[tuple[str, ...], tuple[str, ...], str]] = {
    "english": (
        ("James", "Mary", "Robert", "Linda", "Grace", "Noah", "Ruby", "Owen", "Ella", "Theo"),
        ("Smith", "O'Brien", "Taylor", "MacLeod", "Walker", "St. John", "Young-Reed", "Price"),
        "{given} {family}",
    ),
    "french": (
        ("Zoé", "François", "Hélène", "Loïc", "Anaïs", "Rémi", "Chloé", "Benoît"),
        ("Lefèvre", "Garçon", "d'Estaing", "Bézier", "Noël", "Château", "L'Hôpital"),
        "{given} {family}",
    ),
    "german": (
        ("Jürgen", "Käthe", "Björn", "Änne", "Götz", "Sören", "Heike"),
        ("Müller", "Weiß", "Großmann", "Böhm", "Jäger", "von der Höhe", "Schröder"),
        "{family}, {given}",
    ),
    "spanish": (
        ("Íñigo", "María José", "Ángel", "Núria", "Óscar", "Begoña", "Lucía"),
        ("Muñoz", "Peña", "Ibáñez", "de la Cruz", "Ordóñez", "Güell", "Yáñez"),
        "{given} {family}",
    ),
    "polish": (
        ("Łukasz", "Żaneta", "Wojciech", "Małgorzata", "Świętosław", "Agnieszka"),
        ("Wałęsa", "Dąbrowska", "Żółć", "Kościuszko", "Błaszczyk", "Święch"),
        "{given} {family}",
    ),
    "turkish": (
        ("İbrahim", "Gülşen", "Çağla", "Işıl", "Ömer", "Şule"),
        ("Yıldız", "Çelik", "Öztürk", "Şahin", "Güneş", "Aydın"),
        "{given} {family}",
    ),
    "vietnamese": (
        ("Thị Hằng", "Văn Đức", "Ngọc Ánh", "Quốc Việt", "Thùy Dương", "Hữu Phước"),
        ("Nguyễn", "Trần", "Lê", "Phạm", "Đặng", "Võ"),
        "{family} {given}",
    ),
    "russian": (
        ("Алексей", "Мария", "Дмитрий", "Ольга", "Фёдор", "Наталья", "Юлия"),
        ("Иванов", "Кузнецова", "Соловьёв", "Щербакова", "Чайковский", "Жуков"),
        "{given} {family}",
    ),
    "ukrainian": (
        ("Олександр", "Їлена", "Григорій", "Соломія", "Євген", "Лариса"),
        ("Шевченко", "Коваленко", "Ґудзь", "Єфименко", "Юрійчук"),
        "{given} {family}",
    ),
    "greek": (
        ("Γιώργος", "Ελένη", "Δημήτρης", "Κατερίνα", "Νίκος", "Ιωάννα"),
        ("Παπαδόπουλος", "Νικολάου", "Οικονόμου", "Ξενάκη", "Ζαφειρίου"),
        "{given} {family}",
    ),
    "arabic": (
        ("محمد", "فاطمة", "أحمد", "ليلى", "يوسف", "مريم"),
        ("الحسن", "عبد الله", "النجار", "الخطيب", "القرشي"),
        "{given} {family}",
    ),
    "hebrew": (
        ("דוד", "שרה", "יוסף", "רחל", "נועם", "תמר"),
        ("כהן", "לוי", "מזרחי", "בן-דוד", "פרידמן"),
        "{given} {family}",
    ),
    "hindi": (
        ("राहुल", "प्रिया", "अमित", "सुनीता", "विकास", "आरती"),
        ("शर्मा", "वर्मा", "गुप्ता", "सिंह", "चौधरी"),
        "{given} {family}",
    ),
    "thai": (
        ("สมชาย", "สุดา", "ประเสริฐ", "มาลี", "อนันต์", "พิมพ์ใจ"),
        ("ใจดี", "ศรีสุข", "ทองคำ", "รุ่งเรือง", "วงศ์ใหญ่"),
        "{given} {family}",
    ),
    "chinese": (
        ("伟", "芳", "秀英", "子涵", "建国", "雨桐"),
        ("王", "李", "张", "欧阳", "司马", "陈"),
        "{family}{given}",
    ),
    "japanese": (
        ("翔太", "さくら", "健一", "美咲", "ケンジ", "陽菜"),
        ("佐藤", "鈴木", "高橋", "渡邉", "齋藤"),
        "{family} {given}",
    ),
    "korean": (
        ("민준", "서연", "지훈", "하은", "도윤", "수빈"),
        ("김", "이", "박", "최", "남궁"),
        "{family}{given}",
    ),
}

# Names with quotes, line breaks, tabs, emoji and spreadsheet formulas.
AWKWARD_NAMES = (
    'Anna "Annie" O\'Neil',
    'Smith, John "Jack", Jr.',
    "Reception\nGround floor",
    "Dock 4\r\nGate B",
    "Facilities\tNight shift",
    "🚚 Deliveries & Returns 📦",
    "👩‍👩‍👧 Family Núñez",
    '=HYPERLINK("https://example.com","Click")',
    "+Plus Logistics",
    "-Minus & Sons",
    "@home Services",
    "Back\\slash \\N Ltd.",
    "  Padded  ",
    "Zażółć gęślą jaźń; SELECT 1 --",
    "<b>Bold</b> Brothers {json}",
    "Lone ' quote",
)

# City, state or null, postal code, country.
CITIES: tuple[tuple[str, str | None, str, str], ...] = (
    ("New York", "NY", "10013", "US"),
    ("San Francisco", "CA", "94107", "US"),
    ("Chicago", "IL", "60607", "US"),
    ("Honolulu", "HI", "96815", "US"),
    ("Québec", "QC", "G1R 4S9", "CA"),
    ("São Paulo", "SP", "01310-100", "BR"),
    ("London", None, "EC1A 1BB", "GB"),
    ("København", None, "1050", "DK"),
    ("Zürich", "ZH", "8001", "CH"),
    ("Łódź", None, "90-001", "PL"),
    ("İstanbul", None, "34000", "TR"),
    ("Αθήνα", None, "105 57", "GR"),
    ("Київ", None, "01001", "UA"),
    ("Москва", None, "101000", "RU"),
    ("القاهرة", None, "11511", "EG"),
    ("תל אביב", None, "6100000", "IL"),
    ("मुंबई", "महाराष्ट्र", "400001", "IN"),
    ("กรุงเทพฯ", None, "10200", "TH"),
    ("北京", None, "100000", "CN"),
    ("東京", "東京都", "100-0001", "JP"),
    ("서울", None, "04524", "KR"),
    ("Hà Nội", None, "100000", "VN"),
    ("Lord Howe Island", "NSW", "2898", "AU"),
    ("Kathmandu", None, "44600", "NP"),
)
STREETS = (
    "Main Street",
    "Rue de l'Église",
    "Königsallee",
    "Calle de Alcalá",
    "ul. Świętokrzyska",
    "İstiklal Caddesi",
    "Невский проспект",
    "Οδός Ερμού",
    "شارع التحرير",
    "רחוב דיזנגוף",
    "महात्मा गांधी मार्ग",
    "ถนนสุขุมวิท",
    "人民路",
    "銀座通り",
    "강남대로",
    'Route 66, "Old Mill"',
)
SECOND_LINES = (None, None, None, "", "Apt. 5", "Suite 200, 2nd floor", "c/o Reception\nRoom 12")

DEPARTMENTS = (
    "Mail Room",
    "Human Resources",
    "Sales, North",
    'R&D "Skunkworks"',
    "Legal",
    "Finance",
    "IT Support",
    "Procurement",
    "Kundendienst für Großkunden",
    "Économie & Fiscalité",
    "Отдел кадров",
    "Τμήμα Πωλήσεων",
    "قسم المبيعات",
    "מחלקת כספים",
    "बिक्री विभाग",
    "ฝ่ายขาย",
    "物流部",
    "総務部",
    "영업부",
    "Robotics 🤖",
)
SITES = (
    "Warehouse",
    "Fulfillment Center",
    "Office",
    "Locker Hall",
    "Lager",
    "Entrepôt",
    "Склад",
    "Αποθήκη",
    "مستودع",
    "仓库",
    "倉庫",
    "창고",
)
PRODUCTS = (
    "Laptop 14″",
    "Noise-cancelling headphones",
    "Barcode scanner",
    "Packing tape, 6 rolls",
    'Monitor 27" (QHD)',
    "Thé vert «Sencha» 100 g",
    "Bürostuhl, höhenverstellbar",
    "Клавиатура механическая",
    "折りたたみ傘",
    "保温杯 500ml",
    "무선 마우스",
    "स्टील बोतल",
    "Label printer 🖨️",
    "Pallet jack\t2.5 t",
    'Safety vest, size "XL"',
    "Coffee beans; dark roast",
)
COLORS = (None, "", "black", "white", "bleu", "grün", "красный", "青")
VENDORS = (
    None,
    "",
    "Acme Supplies, Inc.",
    "Müller & Söhne GmbH",
    "株式会社サンプル",
    "ООО «Пример»",
)
NOTES = (
    None,
    None,
    None,
    None,
    None,
    "",
    "Leave at the door.",
    'Ring twice, ask for "Sam"',
    "First line\nsecond line, with comma",
    "Windows line\r\nends here",
    "col1\tcol2\tcol3",
    "Fragile 🍷 — naïve façade",
    "=SUM(A1:A9)",
    "+1 day",
    "-1",
    "@manager please check",
    "C:\\Users\\dock\\notes.txt",
    "注意:易碎品",
    "تعامل بحذر",
)
TAGS = ("fragile", "express", "return", "vip, priority", 'said "urgent"', "寄り道", "β-test", "🎁")
ASSET_WORDS = ("Notebook", "Forklift", "Hand scanner", "Drohne", "Projecteur", "Тележка", "台車")

CARRIERS = ("fedex", "ups", "usps", "dhl", "canada_post", "royal_mail", "japan_post")
SERVICES = ("ground", "express", "overnight", "economy", "international_priority")
UPDATES = (
    "Label created",
    "Picked up by carrier",
    "Arrived at facility, São Paulo",
    "Departed facility",
    'Held: "address incomplete"',
    "Out for delivery",
    "Delivered, front desk",
    "Доставлено",
    "配達完了",
)
SHELVES = (None, None, "", "A-01", "A-02", "B-17", "Locker 12", "Поддон 3", "棚 4")
USERS = ("user_2ahq81k", "user_77cmx0p", "user_h41zz9d", "key_0q8w1rt", None)
HAZARDS = ("fragile", "refrigerated", "hazardous", "keep upright", "no X-ray")
