// The target of the load, on a thread of its own, so that the load's clock does not wait for it. Notes which healthy events came.
import http from 'node:http';
import { parentPort, workerData } from 'node:worker_threads';

const came = new Uint8Array(workerData.came); // [n] is how often healthy event n was delivered, 255 at most

const server = http.createServer((request, response) => {
  let body = '';
  request.setEncoding('latin1');
  request.on('data', (chunk) => (body += body.length < 64 ? chunk : '')); // a hostile rule's message may be large
  request.on('error', () => {});
  request.on('end', () => {
    const n = Number(/^\{"n":(\d+)\}$/.exec(body)?.[1] ?? -1);
    if (n >= 0 && n < came.length && came[n] < 255) came[n]++;
    response.end();
  });
});
server.keepAliveTimeout = 0;
server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port));
