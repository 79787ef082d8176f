"""The four shops as a table of paths. A page is made when first asked for; all of it follows from the stamps, so every run is the same."""
import html
import json
from dataclasses import dataclass, field
from urllib.parse import unquote

PER_PAGE = 24
APP = "127.0.0.5"
PER_SITEMAP = 200


@dataclass
class Answer:
    status: int = 200
    type: str = "text/html; charset=utf-8"
    body: bytes = b""
    headers: dict = field(default_factory=dict)


@dataclass(frozen=True)
class Shop:
    name: str
    address: str
    language: str
    colour: str
    categories: tuple
    markup: str          # json-ld, microdata, opengraph, none
    pictures: str        # srcset, lazy, picture, plain
    encoding: str = "utf-8"


SHOPS = (
    Shop("Menagerie", "127.0.0.1", "en", "#2f7d5b", ("animals", "plants"), "json-ld", "srcset"),
    Shop("Rad & Flug", "127.0.0.2", "de", "#2457a6", ("vehicles", "space", "military", "sports", "hobbies", "people", "naturalforces"), "microdata", "lazy"),
    Shop("Le Garde-manger", "127.0.0.3", "fr", "#a63d24", ("food", "household", "clothes", "medical"), "opengraph", "picture"),
    Shop("Curio", "127.0.0.4", "en", "#6b4a8f", ("symbols", "town", "seasonal"), "none", "plain", "windows-1252"),
)
BRANDS = ("Alder", "Birch & Co", "Cedar", "Dune", "Elm Works", "Fjord")
WORDS = {"en": ("Home", "Page", "Next page", "Add to cart", "Also known as", "in stock", "sold out"),
         "de": ("Startseite", "Seite", "Nächste Seite", "In den Warenkorb", "Auch bekannt als", "auf Lager", "ausverkauft"),
         "fr": ("Accueil", "Page", "Page suivante", "Ajouter au panier", "Aussi connu sous", "en stock", "épuisé")}
STYLE = "body{font:16px sans-serif;margin:2rem;max-width:60rem}ul.grid{display:grid;grid-template-columns:repeat(auto-fill,9rem);gap:1rem;list-style:none;padding:0}img{max-width:100%}"
SPACER = "data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw=="


def text(value):
    return html.escape(str(value), quote=True)


def cents(stamp):
    return 395 + (stamp.number * 7919) % 149_600


def group(number, separator):
    return f"{number:,}".replace(",", separator)


class Product:
    """One stamp as one shop sells it."""

    def __init__(self, shop, stamp, is_copy=False):
        self.shop, self.stamp, self.is_copy = shop, stamp, is_copy
        self.name = stamp.names.get(shop.language, stamp.name)
        self.path = f"/{stamp.kind}/{stamp.number}-{slug(stamp.name)}"
        self.brand = BRANDS[stamp.number % len(BRANDS)]
        self.sku = f"{shop.name[:2].upper()}-{stamp.number:05d}"
        self.in_stock = stamp.number % 11 != 0
        self.currency, self.amount, self.shown = self.price()

    def price(self):
        n = cents(self.stamp) + (250 if self.is_copy else 0)
        units, rest = divmod(n, 100)
        if self.shop.language == "de":
            return "EUR", f"{units}.{rest:02d}", f"{group(units, '.')},{rest:02d} €"
        if self.shop.language == "fr":
            return "CHF", f"{units}.{rest:02d}", f"{group(units, chr(0xA0))},{rest:02d} CHF"
        if self.shop.markup != "none":
            return "USD", f"{units}.{rest:02d}", f"${group(units, ',')}.{rest:02d}"
        if self.stamp.number % 5 == 0:
            return "JPY", str(units * 100), f"¥{group(units * 100, ',')}"
        if self.stamp.number % 17 == 0:
            digits = str.maketrans("0123456789,", "۰۱۲۳۴۵۶۷۸۹٬")
            return "IRR", str(units * 10_000), f"{group(units * 1_000, ',').translate(digits)} تومان"
        return "GBP", f"{units}.{rest:02d}", f"£{group(units, ',')}.{rest:02d}"

    def sizes(self):
        """What is worn comes in sizes, of which some are sold out."""
        return [(size, (self.stamp.number + i) % 4 != 0) for i, size in enumerate(["S", "M", "L", "XL"])] if self.stamp.category == "clothes" else []

    def description(self):
        """The name in English and some other languages, as shops that sell abroad have it."""
        names = [self.stamp.name] + [self.stamp.names[k] for k in ("de", "fr", "es", "it", "ja", "ru", "fa", "zh_CN") if k in self.stamp.names]
        return f"{self.stamp.kind}, {self.stamp.category}: " + "; ".join(dict.fromkeys(names))

    def image(self, side):
        if self.is_copy:
            return f"/img/copy/{self.stamp.number}-{min(side, 420)}.jpg"
        extension = ("jpg", "jpg", "webp", "png", "jpg", "tiff" if side == 600 and self.stamp.number % 90 == 5 else "jpg",
                     "bmp" if side == 600 and self.stamp.number % 120 == 6 else "jpg")[self.stamp.number % 7]
        return f"/img/{self.stamp.number}-{side}.{extension}"


def slug(name):
    words = "".join(c if c.isalnum() and c.isascii() else " " for c in name.lower()).split()
    return "-".join(words[:5]) or "thing"


class Site:
    """All shops on one port. answer(host, path) is everything the server needs."""

    def __init__(self, stamps, pictures, port):
        self.stamps, self.pictures, self.port = stamps, pictures, port
        self.by_number = {s.number: s for s in stamps}
        self.kept = {}
        self.shops = {shop.address: ShopPages(self, shop, self.assortment(i)) for i, shop in enumerate(SHOPS)}
        self.app = AppPages(self.shops[SHOPS[0].address])

    def assortment(self, i):
        own = [Product(SHOPS[i], s) for s in self.stamps if s.category in SHOPS[i].categories]
        before = SHOPS[i - 1]
        lent = [s for s in self.stamps if s.category in before.categories][::8]
        return own + [Product(SHOPS[i], s, is_copy=True) for s in lent]

    def answer(self, host, path):
        """`host` is the address without port."""
        shop = self.app if host == APP else self.shops.get(host)
        if shop is None:
            return Answer(421, body=b"no such shop")
        key = (host, path)
        if key not in self.kept:
            self.kept[key] = shop.answer(path)
        return self.kept[key]


class ShopPages:
    def __init__(self, site, shop, products):
        self.site, self.shop, self.products = site, shop, products
        self.base = f"http://{shop.address}:{site.port}"
        self.by_path = {p.path: p for p in products}
        self.kinds = {}
        for product in products:
            self.kinds.setdefault(product.stamp.kind, []).append(product)

    def answer(self, path):
        if path.startswith("/img/"):
            return self.picture(path)
        plain, _, query = path.partition("?")
        fixed = {"/": self.home, "/robots.txt": self.robots, "/sitemap.xml": self.sitemap_index, "/about": self.about,
                 "/broken/server-error": lambda: self.page("Oops", "<p>Something broke.</p>", 500),
                 "/broken/loop-a": lambda: self.redirect("/broken/loop-b"), "/broken/loop-b": lambda: self.redirect("/broken/loop-a"),
                 "/private/orders": lambda: self.page("Orders", "<p>Nobody should read this.</p>"),
                 "/cart": lambda: self.page("Cart", "<p>Empty.</p>")}
        if plain in fixed:
            return fixed[plain]()
        if plain in self.by_path:
            return self.product(self.by_path[plain])
        if plain.startswith("/sitemap-") and plain.endswith(".xml"):
            return self.sitemap(int(plain[9:-4]))
        if plain.startswith("/old/"):
            product = next((p for p in self.products if str(p.stamp.number) == plain[5:]), None)
            return self.redirect(product.path) if product else self.missing()
        kind = plain.strip("/")
        if kind in self.kinds:
            number = query.partition("page=")[2]
            return self.listing(kind, int(number) if number.isdigit() else 1)
        return self.missing()

    # -- pages ---------------------------------------------------------------------------------------------------
    def page(self, title, body, status=200, head="", attributes=""):
        words = WORDS[self.shop.language]
        kinds = "".join(f'<li><a href="/{text(k)}">{text(k)}</a></li>' for k in self.kinds)
        out = (f'<!DOCTYPE html>\n<html lang="{self.shop.language}"><head><meta charset="{self.shop.encoding}">'
               f'<title>{text(title)} – {text(self.shop.name)}</title><style>{STYLE}</style>{head}</head>\n'
               f'<body><header><a href="/"><img class="logo" src="/img/logo.png" alt="{text(self.shop.name)}" width="48" height="48"></a>'
               f'<nav><a href="/">{words[0]}</a> <a href="/about">About</a> <a href="/cart">Cart</a> <a href="/private/orders">Orders</a>'
               f'<ul>{kinds}</ul></nav></header>\n<main{attributes}>{body}</main></body></html>\n')
        return Answer(status, f"text/html; charset={self.shop.encoding}", out.encode(self.shop.encoding, "xmlcharrefreplace"))

    def home(self):
        best = "".join(self.tile(p) for p in self.products[:12])
        broken = '<p><a href="/broken/server-error">Offers</a> <a href="/broken/missing">News</a> <a href="/broken/loop-a">Blog</a></p>'
        broken += '<p><img src="/img/broken/cut.jpg" alt="cut off"> <img src="/img/broken/page.jpg" alt="not a picture"></p>'
        moved = f'<p><a href="/old/{self.products[0].stamp.number}">Last year\'s favourite</a></p>'
        return self.page("Welcome", f'<h1>{text(self.shop.name)}</h1><img src="/img/banner.gif" alt="banner"><ul class="grid">{best}</ul>{moved}{broken}')

    def about(self):
        return self.page("About", "<h1>About</h1><p>A shop made of stamps, so that a crawler has something real to read.</p>")

    def listing(self, kind, number):
        products = self.kinds[kind]
        pages = -(-len(products) // PER_PAGE)
        if not 1 <= number <= pages:
            return self.missing()
        words = WORDS[self.shop.language]
        tiles = "".join(self.tile(p) for p in products[(number - 1) * PER_PAGE:number * PER_PAGE])
        after = f'<a rel="next" href="/{text(kind)}?page={number + 1}">{words[2]}</a>' if number < pages else ""
        return self.page(f"{kind} {number}", f'<h1>{text(kind)}</h1><p>{words[1]} {number}/{pages}</p><ul class="grid">{tiles}</ul>{after}')

    def tile(self, p):
        small = p.image(120)
        source = f'src="{SPACER}" data-src="{small}"' if self.shop.pictures == "lazy" else f'src="{small}"'
        return f'<li><a href="{p.path}"><img {source} alt="{text(p.name)}" width="120" height="120" loading="lazy"><br>{text(p.name[:60])}</a> <b>{text(p.shown)}</b></li>'

    def product(self, p):
        words = WORDS[self.shop.language]
        names = "".join(f'<li lang="{text(lang)}">{text(name)}</li>' for lang, name in sorted(p.stamp.names.items())[:60])
        stock = words[5] if p.in_stock else words[6]
        item = ' itemscope itemtype="https://schema.org/Product"' if self.shop.markup == "microdata" else ""
        head = f'<meta name="description" content="{text(p.description())}">'
        shown, title = f'<p class="price">{text(p.shown)}</p>', f"<h1>{text(p.name)}</h1>"
        details = f"<p>{text(p.brand)} · {text(p.sku)} · {stock}</p>"
        if self.shop.markup == "json-ld":
            head += f'<script type="application/ld+json">{self.json_ld(p)}</script>'
        elif self.shop.markup == "opengraph":
            head += "".join(f'<meta property="{k}" content="{text(v)}">' for k, v in self.opengraph(p))
        elif self.shop.markup == "microdata":
            title = f'<h1 itemprop="name">{text(p.name)}</h1>'
            state = "InStock" if p.in_stock else "OutOfStock"
            shown = (f'<div itemprop="offers" itemscope itemtype="https://schema.org/Offer"><span class="price" itemprop="price" content="{p.amount}">{text(p.shown)}</span>'
                     f'<meta itemprop="priceCurrency" content="{p.currency}"><link itemprop="availability" href="https://schema.org/{state}"></div>')
            details = (f'<p><span itemprop="brand" itemscope itemtype="https://schema.org/Brand"><span itemprop="name">{text(p.brand)}</span></span> · '
                       f'<span itemprop="sku">{text(p.sku)}</span> · <span itemprop="category">{text(p.stamp.kind)}</span> · {stock}</p>')
        options = "".join(f'<option{"" if left else " disabled"}>{size}</option>' for size, left in p.sizes())
        sizes = f'<select name="size">{options}</select>' if options else ""
        body = (f'{title}{self.main_picture(p)}{shown}{sizes}<button>{words[3]}</button>{details}'
                f'<p>{text(p.name)} ({text(p.stamp.kind)}, {text(p.stamp.category)})</p><h2>{words[4]}</h2><ul class="names">{names}</ul>')
        return self.page(p.name, body, head=head, attributes=item)

    def main_picture(self, p):
        small, middle, large, alt = p.image(120), p.image(300), p.image(600), text(p.name)
        prop = ' itemprop="image"' if self.shop.markup == "microdata" else ""
        if self.shop.pictures == "srcset":
            return f'<img src="{small}" srcset="{small} 120w, {middle} 300w, {large} 600w" sizes="300px" alt="{alt}">'
        if self.shop.pictures == "lazy":
            return f'<img{prop} src="{SPACER}" data-src="{large}" data-srcset="{middle} 300w, {large} 600w" alt="{alt}"><noscript><img src="{middle}" alt="{alt}"></noscript>'
        if self.shop.pictures == "picture":
            return f'<picture><source media="(min-width: 40em)" srcset="{large} 2x, {middle} 1x"><img src="{middle}" alt="{alt}"></picture>'
        return f'<img src="{large}" alt="{alt}" width="600" height="600">'

    def json_ld(self, p):
        product = {"@context": "https://schema.org", "@type": "Product", "name": p.name, "sku": p.sku, "category": p.stamp.kind,
                   "brand": {"@type": "Brand", "name": p.brand}, "image": [self.base + p.image(600)],
                   "description": p.description(),
                   "offers": {"@type": "Offer", "price": p.amount, "priceCurrency": p.currency,
                              "availability": f"https://schema.org/{'InStock' if p.in_stock else 'OutOfStock'}"}}
        if p.stamp.number % 3 == 0:
            product = {"@context": "https://schema.org", "@graph": [{"@type": "WebSite", "name": self.shop.name}, product]}
        out = json.dumps(product, ensure_ascii=False).replace("</", "<\\/")
        return out[:-1] + ",}" if p.stamp.number % 50 == 1 else out  # some shops leave a trailing comma

    def opengraph(self, p):
        return [("og:type", "product"), ("og:title", p.name), ("og:description", p.description()), ("og:site_name", self.shop.name), ("og:url", self.base + p.path),
                ("og:image", self.base + p.image(600)), ("product:price:amount", p.amount), ("product:price:currency", p.currency),
                ("product:brand", p.brand), ("product:category", p.stamp.kind), ("product:retailer_item_id", p.sku),
                ("product:availability", "in stock" if p.in_stock else "out of stock")]

    # -- the rest ------------------------------------------------------------------------------------------------
    def robots(self):
        body = f"User-agent: *\nDisallow: /private/\nDisallow: /cart$\n\nSitemap: {self.base}/sitemap.xml\n"
        return Answer(type="text/plain; charset=utf-8", body=body.encode())

    def sitemap_index(self):
        parts = range(1, -(-len(self.products) // PER_SITEMAP) + 1)
        body = "".join(f"<sitemap><loc>{self.base}/sitemap-{n}.xml</loc></sitemap>" for n in parts)
        return self.xml(f'<sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{body}</sitemapindex>')

    def sitemap(self, number):
        part = self.products[(number - 1) * PER_SITEMAP:number * PER_SITEMAP]
        if not part:
            return self.missing()
        body = "".join(f"<url><loc>{self.base}{p.path}</loc><lastmod>2026-01-{1 + p.stamp.number % 28:02d}</lastmod>"
                       f"<image:image><image:loc>{self.base}{p.image(600)}</image:loc></image:image></url>" for p in part)
        return self.xml('<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" '
                        f'xmlns:image="http://www.google.com/schemas/sitemap-image/1.1">{body}</urlset>')

    def xml(self, body):
        return Answer(type="application/xml", body=b'<?xml version="1.0" encoding="UTF-8"?>\n' + body.encode())

    def redirect(self, path):
        return Answer(301, headers={"Location": path})

    def missing(self):
        return self.page("Not found", "<h1>Not found</h1>", 404)

    def picture(self, path):
        from pictures import FORMATS
        name = path.removeprefix("/img/")
        pictures, stamps = self.site.pictures, self.site.by_number
        if name == "logo.png":
            return Answer(type="image/png", body=pictures.logo(self.shop.colour))
        if name == "banner.gif":
            return Answer(type="image/gif", body=pictures.banner([p.stamp for p in self.products[:3]]))
        if name == "broken/cut.jpg":
            return Answer(type="image/jpeg", body=pictures.product(self.products[0].stamp, 300, "jpg")[:900])
        if name == "broken/page.jpg":
            return Answer(type="image/jpeg", body=b"<!DOCTYPE html><title>Not a picture</title>")
        is_copy = name.startswith("copy/")
        stem, _, extension = name.removeprefix("copy/").partition(".")
        number, _, side = stem.partition("-")
        if not (number.isdigit() and side.isdigit() and int(number) in stamps and extension in FORMATS and int(side) <= 1200):
            return self.missing()
        make = pictures.copy if is_copy else lambda s, n: pictures.product(s, n, extension)
        return Answer(type=FORMATS[extension][1], body=make(stamps[int(number)], int(side)))


class AppPages:
    """The first shop once more, as an app: every page is the same shell, and a script fetches what it says. Paths are those of the shop."""
    ROBOTS = "User-agent: *\nDisallow: /private/\nDisallow: /cart\nDisallow: /api/forbidden\n"
    SHELL = ('<!DOCTYPE html><html><head><meta charset="utf-8"><title>Menagerie</title><link rel="stylesheet" href="/app.css">'
             '<script async src="https://www.googletagmanager.com/gtm.js"></script></head>'
             '<body><div id="app"></div><noscript>Please switch on JavaScript.</noscript><script src="/app.js"></script></body></html>\n')
    SCRIPT = ("fetch('/api/forbidden').catch(()=>0);\n"
              "fetch('/api/page?path='+encodeURIComponent(location.pathname+location.search)).then(r=>r.json()).then(page=>{\n"
              "  document.documentElement.lang=page.lang;\n  document.title=page.title;\n"
              "  document.head.insertAdjacentHTML('beforeend',page.head);\n  document.getElementById('app').innerHTML=page.body;\n});\n")

    def __init__(self, twin):
        self.twin = twin

    def answer(self, path):
        if path == "/robots.txt":
            return Answer(type="text/plain", body=self.ROBOTS.encode())
        if path == "/app.js":
            return Answer(type="text/javascript", body=self.SCRIPT.encode())
        if path.startswith("/api/page?path="):
            return self.page(unquote(path.partition("=")[2]))
        same = self.twin.answer(path)
        return Answer(body=self.SHELL.encode()) if self.is_page(same) else same

    @staticmethod
    def is_page(answer):
        return answer.status == 200 and answer.type.startswith("text/html")

    def page(self, path):
        same = self.twin.answer(path)
        if not self.is_page(same):
            return Answer(404, "application/json", b"{}")
        whole = same.body.decode(self.twin.shop.encoding).replace(f"//{self.twin.shop.address}:", f"//{APP}:")
        part = lambda before, after: whole.partition(before)[2].partition(after)[0]
        page = {"lang": self.twin.shop.language, "title": html.unescape(part("<title>", "</title>")), "head": part("</style>", "</head>"),
                "body": part("<body>", "</body>")}
        return Answer(type="application/json", body=json.dumps(page).encode())
