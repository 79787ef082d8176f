"""Products of pages by extruct and price-parser, as their users would glue them: JSON-LD first, then microdata, then Open Graph.
JSON Lines in ({"id", "url", "html"}) and out ({"id", "products": [{price, sku, availability, currency, brand}]})."""
import json
import logging
import sys

import extruct
from price_parser import Price

logging.disable(logging.CRITICAL)
PRODUCTS = {"product", "productgroup", "individualproduct", "productmodel"}
OUT = ("outofstock", "soldout", "discontinued")


def first(value):
    return first(value[0]) if isinstance(value, list) and value else None if isinstance(value, list) else value


def types(node):
    kinds = node.get("@type") or []
    return {str(kind).rsplit("/", 1)[-1].lower() for kind in (kinds if isinstance(kinds, list) else [kinds])}


def products(value):
    if isinstance(value, list):
        for item in value:
            yield from products(item)
    elif isinstance(value, dict):
        if types(value) & PRODUCTS:
            yield value
        for key in ("@graph", "mainEntity"):
            yield from products(value.get(key))


def words(value):
    value = first(value)
    return words(value.get("name")) if isinstance(value, dict) else None if value is None else str(value).strip()


def of_schema(node):
    offer = first(node.get("offers"))
    offer = offer if isinstance(offer, dict) else {}
    nested = first(offer.get("offers"))
    price = words(offer.get("price")) or words(offer.get("lowPrice")) or (words(nested.get("price")) if isinstance(nested, dict) else None)
    availability = words(offer.get("availability")) or (words(nested.get("availability")) if isinstance(nested, dict) else None)
    return {"price": price, "currency": words(offer.get("priceCurrency")), "sku": words(node.get("sku")) or words(node.get("productID")),
            "brand": words(node.get("brand")), "availability": availability}


def of_opengraph(pages):
    tags = {key: value for page in pages for key, value in page.get("properties", [])}
    get = lambda *keys: next((tags[key] for key in keys if tags.get(key)), None)  # noqa: E731
    return {"price": get("product:price:amount", "og:price:amount"), "currency": get("product:price:currency", "og:price:currency"),
            "sku": get("product:retailer_item_id"), "brand": get("product:brand", "og:brand"),
            "availability": get("product:availability", "og:availability")}


def read(question):
    options = {"base_url": question["url"], "uniform": False, "errors": "ignore"}
    data = extruct.extract(question["html"], syntaxes=["json-ld"], **options)
    data |= extruct.extract(question["html"], syntaxes=["microdata"], **(options | {"uniform": True}))
    data |= extruct.extract(question["html"], syntaxes=["opengraph"], **options)
    sources = [of_schema(node) for name in ("json-ld", "microdata") for node in list(products(data.get(name) or []))[:1]]
    sources.append(of_opengraph(data.get("opengraph") or []))
    product = {key: next((source[key] for source in sources if source.get(key)), None) for key in sources[-1]}
    price = Price.fromstring(product["price"], currency_hint=product["currency"])
    product["price"] = None if price.amount is None else str(price.amount)
    product["currency"] = product["currency"] or price.currency
    if product["availability"]:
        text = product["availability"].lower().replace(" ", "")
        product["availability"] = "OutOfStock" if any(word in text for word in OUT) else "InStock"
    return {"id": question["id"], "products": [{key: value for key, value in product.items() if value}]}


for line in sys.stdin:
    print(json.dumps(read(json.loads(line))), flush=True)
