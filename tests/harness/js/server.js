// An HTTP server on the `fetch` event, as people write them for other platforms.
addEventListener("fetch", (event) => event.respondWith(answer(event.request)));

async function answer(request) {
  const url = new URL(request.url);
  const headers = { "content-type": "text/plain", "x-method": request.method, "x-target": url.pathname + url.search };
  if (url.pathname === "/echo") {
    return new Response(await request.text(), { status: 201, headers });
  }
  if (url.pathname === "/fail") {
    throw new Error("no answer from here");
  }
  return new Response(words(["one\n", "two\n", "three\n"]), { headers });
}

function words(list) {
  const encoder = new TextEncoder();
  return new ReadableStream({
    start(controller) {
      list.forEach((word) => controller.enqueue(encoder.encode(word)));
      controller.close();
    },
  });
}
