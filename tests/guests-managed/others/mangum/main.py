from mangum import Mangum
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route


async def hello(request):
    response = JSONResponse({"hello": request.path_params["name"], "q": request.query_params.get("q")})
    response.set_cookie("seen", "1")
    return response


async def total(request):
    return JSONResponse({"sum": sum(await request.json())}, status_code=201)


app = Starlette(routes=[Route("/hello/{name}", hello), Route("/sum", total, methods=["POST"])])
handler = Mangum(app, lifespan="off")
