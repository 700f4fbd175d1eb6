// Targets that speak TLS, over HTTP/1.1 or HTTP/2, with certificates of an authority of ours (authority.js).
import { once } from 'node:events';
import http2 from 'node:http2';
import https from 'node:https';

/**
 * A target on localhost. `tls`: options of node:tls (cert, key, ca, requestCert, …); `h2`: HTTP/2 for who wants it. `answer(got)` may
 * return { status, headers, body }. received: { method, url, version, headers, body, client: common name or null, port: of the peer }.
 */
export async function startSecureTarget(tls, answer = () => ({}), { h2 = false } = {}) {
  const received = [];
  const sockets = new Set();
  const make = h2 ? http2.createSecureServer : https.createServer;
  const server = make(tls, (request, response) => {
    const chunks = [];
    const socket = request.stream?.session?.socket ?? request.socket;
    const client = socket.getPeerCertificate?.().subject?.CN ?? null;
    const port = socket.remotePort;
    request.on('error', () => {});
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('end', () => {
      const got = { method: request.method, url: request.url, version: request.httpVersion, headers: request.headers,
        body: Buffer.concat(chunks).toString(), client, port };
      received.push(got);
      const plan = answer(got) ?? {};
      response.writeHead(plan.status ?? 200, plan.headers ?? {});
      response.end(plan.body ?? '');
    });
  });
  server.on('tlsClientError', () => {});
  server.on('sessionError', () => {});
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    received,
    port: server.address().port,
    url: `https://localhost:${server.address().port}`,
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
