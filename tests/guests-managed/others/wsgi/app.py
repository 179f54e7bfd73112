from flask import Flask, jsonify, request

app = Flask(__name__)


@app.get("/hello/<name>")
def hello(name):
    response = jsonify(hello=name, q=request.args.get("q"))
    response.set_cookie("seen", "1")
    return response


@app.post("/sum")
def total():
    return jsonify(sum=sum(request.get_json())), 201
