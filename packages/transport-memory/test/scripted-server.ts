/**
 * A server that says what a test wants it to say: for what a real one would not do. It answers each line at once
 * and for itself, so whatever of PIPELINING there is comes from the client.
 */
import type { ByteStream, ByteStreamListener } from '@sansmtp/transport';
import { octetsOf, textOf } from './peer.js';

export interface Script {
  /** @default '220 mx.example ESMTP' */
  readonly greeting?: string;
  /** EHLO keywords. @default PIPELINING */
  readonly keywords?: readonly string[];
  /** The reply to a command, or to the final dot, `.`. Undefined: the usual one; null: none. */
  reply?(command: string, server: ScriptedServer): string | null | undefined;
}

export class ScriptedServer implements ByteStreamListener {
  readonly stream: ByteStream;
  /** The command lines heard, the final dots too. */
  readonly commands: string[] = [];
  /** Whole messages, with their transparency. */
  readonly messages: string[] = [];
  heard = '';
  ended = false;
  closed = false;
  readonly #script: Script;
  #unread = '';
  #receiving = false;

  constructor(stream: ByteStream, script: Script) {
    this.stream = stream;
    this.#script = script;
    stream.open(this);
    const { greeting = '220 mx.example ESMTP' } = script;
    if (greeting !== '') this.say(greeting);
  }

  /** Lines, a CRLF behind each. */
  say(...lines: readonly string[]): void {
    this.stream.write(octetsOf(lines.map((line) => `${line}\r\n`).join('')));
  }

  data(bytes: Uint8Array): void {
    const text = textOf(bytes);
    this.heard += text;
    this.#unread += text;
    while (this.#readOn());
  }

  end(): void {
    this.ended = true;
    this.stream.end();
  }

  drain(): void {}

  secure(): void {}

  close(): void {
    this.closed = true;
  }

  #readOn(): boolean {
    if (this.#receiving) {
      // A dot on the first line ends an empty message.
      const end = `\r\n${this.#unread}`.indexOf('\r\n.\r\n');
      if (end < 0) return false;
      this.messages.push(this.#unread.slice(0, end));
      this.#unread = this.#unread.slice(end + '.\r\n'.length);
      this.#receiving = false;
      this.#answer('.');
      return true;
    }
    const end = this.#unread.indexOf('\r\n');
    if (end < 0) return false;
    const command = this.#unread.slice(0, end);
    this.#unread = this.#unread.slice(end + '\r\n'.length);
    this.#answer(command);
    return true;
  }

  #answer(command: string): void {
    this.commands.push(command);
    const reply = this.#script.reply?.(command, this);
    if (reply === null) return;
    const said = reply ?? this.#usual(command);
    this.#receiving = said.startsWith('354');
    if (said !== '') this.say(said);
    if (command === 'QUIT') this.stream.end();
  }

  #usual(command: string): string {
    const [verb] = command.split(' ');
    switch (verb) {
      case 'EHLO': {
        const { keywords = ['PIPELINING'] } = this.#script;
        const lines = ['mx.example', ...keywords];
        return lines.map((line, index) => `250${index < lines.length - 1 ? '-' : ' '}${line}`).join('\r\n');
      }
      case 'DATA':
        return '354 Go on';
      case 'QUIT':
        return '221 Bye';
      default:
        return '250 OK';
    }
  }
}
