/** One message of the small client: MAIL, RCPT, DATA or BDAT, one by one or in a group, and what becomes of each recipient. */
import type { ClientVerdict, Task } from '../../clients/contract.js';
import { forChunks, forData } from './mail-data.js';
import { NoReply, type Reply } from './reply-reader.js';
import { GivenUp, type Wire } from './wire.js';

const ASCII = /^[\0-\x7f]*$/;
const CHUNK = 65_536;

export class MailTransaction {
  readonly #wire: Wire;
  readonly #task: Task;
  readonly #message: string;
  readonly #offers: ReadonlyMap<string, string>;
  readonly #verdictOfLoss: (error: NoReply) => ClientVerdict;
  #isOpen = false;

  /**
   * @param message one character is one octet
   * @param offers EHLO keywords
   * @param verdictOfLoss of a recipient whose reply did not come
   */
  constructor(
    wire: Wire,
    { task, message, offers }: { task: Task; message: string; offers: ReadonlyMap<string, string> },
    verdictOfLoss: (error: NoReply) => ClientVerdict,
  ) {
    this.#wire = wire;
    this.#task = task;
    this.#message = message;
    this.#offers = offers;
    this.#verdictOfLoss = verdictOfLoss;
  }

  /** The final dot was sent, and its reply did not come. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  async run(): Promise<readonly ClientVerdict[]> {
    const mail = this.#mailLine();
    const usesBdat = this.#offers.has('CHUNKING') || this.#wire.has('bdat-unoffered');
    const isGroup = this.#offers.has('PIPELINING') || this.#wire.has('pipelining-unoffered');
    const begun = isGroup ? await this.#group(mail, usesBdat) : await this.#oneByOne(mail, usesBdat);
    const { fates, data } = begun;
    const accepted = [...fates.keys()].filter((index) => fates[index] === 'delivered');
    if (usesBdat) {
      if (accepted.length > 0) await this.#chunks(fates, accepted);
      return this.#told(fates);
    }
    if (data === undefined) return this.#told(fates);
    const isGoAhead = data.code === 354 || (this.#wire.has('250-is-a-go-ahead') && data.code < 400);
    if (!isGoAhead && !this.#wire.has('data-refusal-ignored')) {
      for (const index of accepted) fates[index] = data.code < 400 ? 'failed' : this.#wire.refusal(data.code);
      return this.#told(fates);
    }
    await this.#mailData(fates, accepted);
    return this.#told(fates);
  }

  #mailLine(): string {
    const { from, to } = this.#task;
    const message = this.#message;
    const limit = this.#offers.get('SIZE');
    const isZero = Number(limit) === 0 && !this.#wire.has('size-zero-is-a-limit');
    const isBeyond = limit !== undefined && limit !== '' && !isZero && message.length > Number(limit);
    if (isBeyond && !this.#wire.has('size-limit-ignored')) throw new GivenUp('rejected', 'beyond the limit');
    const parameters: string[] = [];
    const size = this.#wire.has('size-wrong') ? message.length >> 1 : message.length;
    if (limit !== undefined || this.#wire.has('size-unoffered')) parameters.push(`SIZE=${size}`);
    const is8Bit = !ASCII.test(message);
    const may8Bit = this.#offers.has('8BITMIME');
    if (is8Bit && !may8Bit && !this.#wire.has('8-bit-unoffered'))
      throw new GivenUp('failed', 'needs 8BITMIME');
    if (is8Bit && may8Bit && !this.#wire.has('8-bit-undeclared')) parameters.push('BODY=8BITMIME');
    const isInternational = !ASCII.test([from, ...to].join(''));
    const mayInternational = this.#offers.has('SMTPUTF8');
    if (isInternational && !mayInternational && !this.#wire.has('smtputf8-unoffered')) {
      throw new GivenUp('failed', 'needs SMTPUTF8');
    }
    if (isInternational && mayInternational && !this.#wire.has('smtputf8-undeclared'))
      parameters.push('SMTPUTF8');
    const path = from === '' && this.#wire.has('null-path-replaced') ? 'postmaster@example.org' : from;
    return [`MAIL FROM:${this.#path(path)}`, ...parameters].join(' ');
  }

  #path(address: string): string {
    const written = this.#wire.has('address-in-lower-case') ? address.toLowerCase() : address;
    return `${this.#wire.has('blank-after-colon') ? ' ' : ''}<${written}>`;
  }

  #recipientLines(): string[] {
    const lines = this.#task.to.map((address) => `RCPT TO:${this.#path(address)}`);
    if (this.#wire.has('last-recipient-forgotten') && lines.length > 1) lines.pop();
    if (this.#wire.has('recipient-twice')) lines.push(lines[0] ?? '');
    return lines;
  }

  /** What it says of the recipients in the end. */
  #told(fates: ClientVerdict[]): ClientVerdict[] {
    if (this.#wire.has('one-refusal-fails-all') && fates.includes('rejected'))
      return fates.map(() => 'rejected');
    if (this.#wire.has('refused-is-delivered') && fates.includes('delivered'))
      return fates.map(() => 'delivered');
    if (this.#wire.has('last-recipient-forgotten') && fates.length > 1) fates[fates.length - 1] = 'delivered';
    if (this.#wire.has('refusals-shifted') && fates.length > 1)
      return [fates.at(-1) ?? 'failed', ...fates.slice(0, -1)];
    return fates;
  }

  /** `delivered` stands for accepted so far. */
  #fateOf({ code }: Reply): ClientVerdict {
    const isAccepted = code < 300 || (code < 400 && this.#wire.has('3yz-accepts-the-recipient'));
    if (isAccepted) return 'delivered';
    if (code < 400) return 'failed';
    return code === 552 ? 'deferred' : this.#wire.refusal(code);
  }

  async #oneByOne(mail: string, usesBdat: boolean) {
    const opened = await this.#wire.ask(mail);
    if (opened.code >= 300 && !this.#wire.has('mail-refusal-ignored'))
      throw this.#wire.giveUp(opened, 'MAIL');
    const fates: ClientVerdict[] = [];
    for (const line of this.#recipientLines()) fates.push(this.#fateOf(await this.#wire.ask(line)));
    fates.splice(this.#task.to.length);
    const isWanted = this.#wire.has('last-recipient-decides')
      ? fates.at(-1) === 'delivered'
      : fates.includes('delivered');
    if ((!isWanted && !this.#wire.has('data-for-nobody')) || usesBdat) return { fates, data: undefined };
    return { fates, data: await this.#wire.ask('DATA') };
  }

  async #group(mail: string, usesBdat: boolean) {
    const lines = [mail, ...this.#recipientLines(), ...(usesBdat ? [] : ['DATA'])];
    const early =
      this.#wire.has('go-ahead-not-awaited') && !usesBdat ? forData(this.#message, this.#wire.fault) : '';
    this.#wire.expectNothing();
    this.#wire.write(lines.map((line) => this.#wire.encoded(line)).join('') + early);
    const opened = await this.#wire.reply();
    const fates: ClientVerdict[] = [];
    for (let count = this.#recipientLines().length; count > 0; count--) {
      fates.push(this.#fateOf(await this.#groupReply()));
    }
    fates.splice(this.#task.to.length);
    const data = usesBdat ? undefined : await this.#groupReply();
    if (opened.code < 300) {
      const isOver = data !== undefined && data.code >= 400 && !fates.includes('delivered');
      return { fates, data: isOver ? undefined : data };
    }
    if (data?.code === 354) await this.#loneDot();
    if (this.#wire.has('503-decides') && fates.includes('rejected')) throw new GivenUp('rejected', '503');
    throw this.#wire.giveUp(opened, 'MAIL');
  }

  async #groupReply(): Promise<Reply> {
    if (this.#wire.is421) throw new GivenUp('deferred', 'the server closes');
    return this.#wire.reply();
  }

  /** RFC 2920 §3.1: nobody was accepted, and the server waits for mail data. */
  async #loneDot(): Promise<void> {
    this.#wire.write('.\r\n');
    // With LMTP nobody has a reply (RFC 2033 §4.2).
    if (this.#task.setup !== 'lmtp') await this.#wire.reply();
  }

  async #mailData(fates: ClientVerdict[], accepted: readonly number[]): Promise<void> {
    const isForNobody =
      accepted.length === 0 && !this.#wire.has('lone-dot-forgotten') && !this.#wire.has('data-for-nobody');
    this.#wire.expectNothing();
    if (!(this.#wire.has('go-ahead-not-awaited') && this.#offers.has('PIPELINING'))) {
      const quit = this.#wire.has('quit-with-the-message') ? 'QUIT\r\n' : '';
      this.#wire.write((isForNobody ? '.\r\n' : forData(this.#message, this.#wire.fault)) + quit);
    }
    this.#isOpen = accepted.length > 0;
    await this.#conclude(fates, accepted);
  }

  async #chunks(fates: ClientVerdict[], accepted: readonly number[]): Promise<void> {
    const content = forChunks(this.#message, this.#wire.fault);
    for (let at = 0; at < content.length || at === 0; at += CHUNK) {
      const chunk = content.slice(at, at + CHUNK);
      const isLast = at + CHUNK >= content.length;
      const size = chunk.length + (this.#wire.has('bdat-size-off-by-one') ? 1 : 0);
      const last = isLast && !this.#wire.has('bdat-without-last') ? ' LAST' : '';
      this.#wire.expectNothing();
      this.#wire.write(`BDAT ${size}${last}\r\n${chunk}`);
      if (isLast) break;
      const reply = await this.#wire.reply();
      if (reply.code < 300) continue;
      for (const index of accepted)
        fates[index] = reply.code < 400 ? 'failed' : this.#wire.refusal(reply.code);
      return;
    }
    this.#isOpen = true;
    await this.#conclude(fates, accepted);
  }

  /** The replies after the end of the message: in LMTP one for each accepted recipient (RFC 2033 §4.2). */
  async #conclude(fates: ClientVerdict[], accepted: readonly number[]): Promise<void> {
    const isLmtp = this.#task.setup === 'lmtp' && !this.#wire.has('lmtp-one-reply');
    const concerned = this.#wire.has('lmtp-replies-for-refused') && isLmtp ? [...fates.keys()] : accepted;
    const groups = isLmtp ? concerned.map((index) => [index]) : [accepted];
    for (const group of groups) {
      let reply: Reply;
      try {
        reply = await this.#wire.reply();
      } catch (error) {
        if (!isLmtp || !(error instanceof NoReply)) throw error;
        for (const left of groups.slice(groups.indexOf(group)).flat())
          fates[left] = this.#verdictOfLoss(error);
        break;
      }
      const isTaken = reply.code < 300 || (reply.code < 400 && this.#wire.has('3yz-takes-the-message'));
      const fate = isTaken ? 'delivered' : reply.code < 400 ? 'failed' : this.#wire.refusal(reply.code);
      for (const index of group) fates[index] = fate;
      if (isTaken && reply.code !== 250 && this.#wire.has('sent-again')) await this.#again();
    }
    this.#isOpen = false;
  }

  async #again(): Promise<void> {
    await this.#wire.ask(this.#mailLine());
    for (const line of this.#recipientLines()) await this.#wire.ask(line);
    await this.#wire.ask('DATA');
    this.#wire.write(forData(this.#message, this.#wire.fault));
    await this.#wire.reply();
  }
}
