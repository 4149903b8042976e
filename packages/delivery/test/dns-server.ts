/** A DNS server on loopback (UDP) for the tests of this folder. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import dnsPacket, { type Answer } from 'dns-packet';

export interface DnsServer {
  /** ADDRESS:PORT */
  readonly address: string;
  /** `MX a.example` and so on. */
  readonly queries: readonly string[];
  close(): Promise<void>;
}

/** `MX a.example` → `10 mx.example`, `A mx.example` → `127.0.0.2`. Names that have no records at all do not exist. */
export type Zone = Readonly<Record<string, readonly string[]>>;

const NXDOMAIN = 3;

function recordOf(type: string, name: string, text: string): Answer {
  if (type === 'MX') {
    const [preference = '', exchange = ''] = text.split(' ');
    return { type: 'MX', name, ttl: 60, data: { preference: Number(preference), exchange } };
  }
  return { type: type === 'TXT' ? 'TXT' : 'A', name, ttl: 60, data: text };
}

export async function serveDns(zone: Zone): Promise<DnsServer> {
  const queries: string[] = [];
  const exists = (name: string) => Object.keys(zone).some((key) => key.endsWith(` ${name}`));
  const socket = createSocket('udp4');
  socket.on('message', (message, { port, address }) => {
    const query = dnsPacket.decode(message);
    const [question] = query.questions ?? [];
    if (question === undefined) return;
    const { type, name } = question;
    queries.push(`${type} ${name}`);
    const answers = (zone[`${type} ${name}`] ?? []).map((text) => recordOf(type, name, text));
    const flags = dnsPacket.RECURSION_DESIRED | dnsPacket.RECURSION_AVAILABLE | (exists(name) ? 0 : NXDOMAIN);
    const { id = 0 } = query;
    socket.send(
      dnsPacket.encode({ type: 'response', id, flags, questions: [question], answers }),
      port,
      address,
    );
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return {
    address: `127.0.0.1:${socket.address().port}`,
    queries,
    async close() {
      const closed = once(socket, 'close');
      socket.close();
      await closed;
    },
  };
}
