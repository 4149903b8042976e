/**
 * One question to one DNS server (RFC 1035 §4.2): by UDP from a port of its own, and by TCP where the answer does not
 * fit (RFC 7766 §5). What is no answer to the question, by id, name and type, is passed over: it may be forged.
 */
import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { createConnection, isIP } from 'node:net';
import dnsPacket, { type DecodedPacket, type RecordType } from 'dns-packet';
import { decodeMessage } from './dns-message.js';

export interface DnsServer {
  readonly address: string;
  readonly port: number;
}

export interface DnsQuestion {
  /** In ASCII, without a dot at the end. */
  readonly name: string;
  readonly type: RecordType;
}

/** @throws what the network or the server's octets are to blame for, and the signal's reason once it is aborted */
export async function askServer(
  server: DnsServer,
  { name, type }: DnsQuestion,
  signal: AbortSignal,
): Promise<DecodedPacket> {
  signal.throwIfAborted();
  const id = randomInt(0x1_0000);
  const query = dnsPacket.encode({
    type: 'query',
    id,
    flags: dnsPacket.RECURSION_DESIRED,
    questions: [{ name, type, class: 'IN' }],
  });
  const answers = (packet: DecodedPacket): boolean => {
    const [question, ...others] = packet.questions ?? [];
    const isOurs = question?.name.toLowerCase() === name.toLowerCase() && question.type === type;
    const isResponse = packet.type === 'response' && Reflect.get(packet, 'opcode') === 'QUERY';
    return isResponse && packet.id === id && isOurs && others.length === 0;
  };
  const packet = await askByUdp(server, query, answers, signal);
  return packet.flag_tc ? askByTcp(server, query, answers, signal) : packet;
}

type IsAnswer = (packet: DecodedPacket) => boolean;

function askByUdp(
  { address, port }: DnsServer,
  query: Buffer,
  isAnswer: IsAnswer,
  signal: AbortSignal,
): Promise<DecodedPacket> {
  return new Promise((resolve, reject) => {
    const socket = createSocket(isIP(address) === 6 ? 'udp6' : 'udp4');
    const settle = (act: () => void): void => {
      signal.removeEventListener('abort', onAbort);
      socket.removeAllListeners().on('error', () => {});
      socket.close();
      act();
    };
    const onAbort = (): void => settle(() => reject(signal.reason));
    signal.addEventListener('abort', onAbort, { once: true });
    socket.on('error', (error) => settle(() => reject(error)));
    socket.on('message', (octets) => {
      const packet = decodeMessage(octets);
      if (packet !== undefined && isAnswer(packet)) settle(() => resolve(packet));
    });
    // Connected, it hears nobody but this server.
    socket.on('connect', () => socket.send(query));
    socket.connect(port, address);
  });
}

function askByTcp(
  { address, port }: DnsServer,
  query: Buffer,
  isAnswer: IsAnswer,
  signal: AbortSignal,
): Promise<DecodedPacket> {
  return new Promise((resolve, reject) => {
    const socket = createConnection({ host: address, port });
    const settle = (act: () => void): void => {
      signal.removeEventListener('abort', onAbort);
      socket.removeAllListeners().on('error', () => {});
      socket.destroy();
      act();
    };
    const onAbort = (): void => settle(() => reject(signal.reason));
    signal.addEventListener('abort', onAbort, { once: true });
    const chunks: Buffer[] = [];
    let received = 0;
    let length: number | undefined;
    socket.on('error', (error) => settle(() => reject(error)));
    socket.on('end', () => settle(() => reject(new Error('the server ended the connection'))));
    socket.on('data', (chunk) => {
      chunks.push(chunk);
      received += chunk.length;
      if (received < 2) return;
      length ??= Buffer.concat(chunks).readUInt16BE(0);
      if (received < 2 + length) return;
      const packet = decodeMessage(Buffer.concat(chunks).subarray(2, 2 + length));
      settle(() => {
        if (packet !== undefined && isAnswer(packet)) resolve(packet);
        else reject(new Error('the server sent what is no answer'));
      });
    });
    const prefix = Buffer.alloc(2);
    prefix.writeUInt16BE(query.length);
    socket.write(Buffer.concat([prefix, query]));
  });
}
