/**
 * `--metrics PORT`: figures for Prometheus, and whether the process is alive and ready for clients. On loopback only, for
 * they tell who gets mail.
 *
 *     GET /metrics    200, the text format
 *     GET /healthz    200 as long as the process answers
 *     GET /readyz     200, or 503 while it starts, goes down, or its queue does not answer
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ServerObserver } from '@sansmtp/transport';
import type { Registry } from 'prom-client';
import { sessionMetrics } from './session-metrics.js';

const HOST = '127.0.0.1';
const MAXIMUM_CONNECTIONS = 64;
const READY = 'sansmtp_ready';

/** Whether all workers say that they are ready, by the figures of all. */
export function areReady(figures: string): boolean {
  return figures.split('\n').includes(`${READY} 1`);
}

/** What is known only after the metrics are: they are made first, for they observe. */
export interface Measured {
  /** Sessions that are served now. */
  sessions(): number;
  /** Whether a client that came now would be served well. */
  isReady(): Promise<boolean>;
}

/** What is counted in this process. */
export interface Figures {
  readonly observer: ServerObserver;
  /** For figures of one's own; each metric's name begins with `sansmtp_`. */
  readonly registry: Registry;
  /** From now on it says what this is. */
  measure(measured: Measured): void;
}

/** The figures where they can be read. */
export interface MetricsPage {
  /** The line that tells scripts. */
  readonly listening: string;
  close(): Promise<void>;
}

export interface Metrics extends Figures, MetricsPage {}

interface CountedFigures extends Figures {
  isReady(): Promise<boolean>;
}

export async function countFigures(): Promise<CountedFigures> {
  // Loaded only here: without the option, the command starts as fast as ever.
  const client = await import('prom-client');
  const registry = new client.Registry();
  client.collectDefaultMetrics({ register: registry });
  let measured: Measured | undefined;
  const isReady = async () => (await measured?.isReady().catch(() => false)) ?? false;
  new client.Gauge({
    name: READY,
    help: 'Whether clients are served well: 1, or 0 as for /readyz; of several workers, the least',
    registers: [registry],
    aggregator: 'min',
    async collect() {
      this.set((await isReady()) ? 1 : 0);
    },
  });
  return {
    observer: sessionMetrics(client, registry, () => measured?.sessions() ?? 0),
    registry,
    measure(given) {
      measured = given;
    },
    isReady,
  };
}

/**
 * Counts in this process, and shows it.
 * @param port 0 for any free one
 * @throws what the system says, if it cannot listen there
 */
export async function startMetrics(port: number): Promise<Metrics> {
  const figures = await countFigures();
  const { registry } = figures;
  const text = () => registry.metrics();
  const page = await showFigures(port, {
    text,
    contentType: registry.contentType,
    isReady: figures.isReady,
  });
  return { ...figures, ...page };
}

export interface ShownFigures {
  readonly contentType: string;
  text(): Promise<string>;
  isReady(): Promise<boolean>;
}

/**
 * @param port 0 for any free one
 * @throws what the system says, if it cannot listen there
 */
export async function showFigures(port: number, shown: ShownFigures): Promise<MetricsPage> {
  const server = createServer({ requestTimeout: 10_000, headersTimeout: 10_000 }, (request, response) => {
    answer(request, response, shown).catch((error: Error) => say(response, 500, error.message));
  });
  server.maxConnections = MAXIMUM_CONNECTIONS;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, HOST, () => {
      server.off('error', reject);
      resolve();
    });
  });
  return {
    listening: `listening metrics ${HOST}:${(server.address() as AddressInfo).port}\n`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(
  { method, url = '' }: IncomingMessage,
  response: ServerResponse,
  { contentType, text, isReady }: ShownFigures,
): Promise<void> {
  if (method !== 'GET' && method !== 'HEAD') {
    response.setHeader('Allow', 'GET, HEAD');
    return say(response, 405, 'GET only');
  }
  switch (url.split('?', 1)[0]) {
    case '/metrics': {
      const figures = await text();
      response.writeHead(200, { 'Content-Type': contentType }).end(figures);
      return;
    }
    case '/healthz':
      return say(response, 200, 'alive');
    case '/readyz':
      return (await isReady().catch(() => false))
        ? say(response, 200, 'ready')
        : say(response, 503, 'not ready');
    default:
      say(response, 404, 'There is /metrics, /healthz and /readyz');
  }
}

function say(response: ServerResponse, status: number, words: string): void {
  response
    .writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8', 'Cache-Control': 'no-store' })
    .end(`${words}\n`);
}
