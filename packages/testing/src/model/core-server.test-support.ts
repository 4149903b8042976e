/** The core's server session as the model sees it: octets go in, replies come out, and an application that decides at once. */
import { type Answer, type Question, ServerSession, type ServerSessionOptions } from '@sansmtp/core';
import type { ModelReply, ServerFacts } from './index.js';

const accept: Answer = { decision: 'accept' };
const reject: Answer = { decision: 'reject' };

const latin1 = (octets: Uint8Array): string => Buffer.from(octets).toString('latin1');

export class CoreServer {
  /** The messages that it took. */
  readonly stored: string[] = [];
  isClosed = false;
  wantsHandshake = false;
  readonly #session: ServerSession;
  readonly #facts: ServerFacts;
  #written = '';
  #mailData = '';

  constructor(options: ServerSessionOptions, facts: ServerFacts) {
    this.#facts = facts;
    this.#session = new ServerSession({ ...options, now: 0 });
    this.#drain();
  }

  send(octets: Uint8Array): void {
    if (this.isClosed) return;
    this.#session.handle({ type: 'bytes', bytes: octets, now: 0 });
    this.#drain();
  }

  handshake(): void {
    this.wantsHandshake = false;
    const tls = { protocol: 'TLSv1.3', cipher: 'none', channelBindings: {} };
    this.#session.handle({ type: 'tlsEstablished', tls, now: 0 });
    this.#drain();
  }

  /** The replies that have come, each once. */
  replies(): ModelReply[] {
    const replies: ModelReply[] = [];
    let lines: string[] = [];
    for (const line of this.#written.split('\r\n').slice(0, -1)) {
      lines.push(line.slice(4));
      if (line[3] === '-') continue;
      replies.push({ code: Number(line.slice(0, 3)), lines });
      lines = [];
    }
    this.#written = '';
    return replies;
  }

  #drain(): void {
    for (let output = this.#session.poll(); output !== undefined; output = this.#session.poll()) {
      switch (output.type) {
        case 'write':
          this.#written += latin1(output.bytes);
          break;
        case 'mailData':
          this.#mailData += latin1(output.bytes);
          break;
        case 'abandonMailData':
          this.#mailData = '';
          break;
        case 'upgradeTls':
          this.wantsHandshake = true;
          break;
        case 'close':
          this.isClosed = true;
          break;
        case 'ask':
          this.#session.handle({ type: 'answer', ...this.#decide(output.question), now: 0 });
      }
    }
  }

  #decide(question: Question): Answer {
    switch (question.kind) {
      case 'authenticate': {
        const { attempt } = question;
        if (!('password' in attempt)) return reject;
        const { users = {} } = this.#facts;
        const isRight = users[attempt.username] === attempt.password.revealText();
        return isRight ? accept : reject;
      }
      case 'rcpt': {
        const { forwardPath } = question;
        const mailbox = 'localPart' in forwardPath ? `${forwardPath.localPart}@${forwardPath.domain}` : '';
        return this.#facts.takes?.(mailbox) === false ? reject : accept;
      }
      case 'message':
        this.stored.push(this.#mailData);
        this.#mailData = '';
        return accept;
      default:
        return accept;
    }
  }
}
