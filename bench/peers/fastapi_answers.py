"""The answers of bench/http_answers.cc by FastAPI, for uvicorn to serve (tools/bench_http.py runs it). /search returns a dict, as FastAPI's manual
does it; /search-json returns it as a JSONResponse, which skips FastAPI's own look at every value: its quickest way."""
from fastapi import FastAPI
from fastapi.responses import JSONResponse, PlainTextResponse

app = FastAPI()
HITS = [(i * 7_919, 1.0 - i / 64.0, f'Caf\u00e9 chair "model {i}" of oak', f"shop{i % 7}.example", f"https://shop{i % 7}.example/products/{i}.html",
         f"{10 + i}.99", 600 + i, 800) for i in range(1, 51)]


def results():
    return {"total": 12_345, "total_is_exact": True, "offset": 0, "limit": 50, "hits": [
        {"image_id": id, "score": score, "title": title, "shop": shop, "page_url": page_url, "width": width, "height": height,
         "price": {"amount": amount, "currency": "EUR"}}
        for id, score, title, shop, page_url, amount, width, height in HITS]}


@app.get("/hello")
async def hello():
    return PlainTextResponse("hello")


@app.get("/search")
async def search():
    return results()


@app.get("/search-json")
async def search_json():
    return JSONResponse(results())
