/** Says a generated dialogue to the server, and lets the model judge each reply. */
import { encodeText } from '@sansmtp/core';
import { type ModelInput, type ServerFacts, ServerModel, type StoredMessage } from '@sansmtp/testing/model';
import type { StoredTestMessage, Target } from '../contract/target.js';
import type { Dialogue } from '../dialogue/dialogue.js';
import { CannotJudge, Deviation } from '../dialogue/findings.js';
import { openCommand, openResponse } from '../dialogue/secrets.js';
import { announcesLimit, type SeenReply, shown } from '../dialogue/seen-reply.js';
import { printable } from '../dialogue/transcript.js';
import type { GeneratedDialogue } from './dialogues.js';
import { type Challenges, proverOf } from './proving.js';
import { chunkLine, type GeneratedStep, mailDataOf, type Proof } from './steps.js';
import { base64 } from './stretches/surroundings.js';

/** A reply, or what was stored, is against a rule. */
export class ModelDeviation extends Deviation {
  /** The rule. */
  readonly clause: string;

  constructor(clause: string, message: string) {
    super(message);
    this.clause = clause;
  }
}

/**
 * @throws {Deviation} (rejects) the server does what the model does not allow
 * @throws {CannotJudge} (rejects) it does not, up to a limit of its own that it announces
 */
export async function play(
  target: Target,
  { steps, chunks }: GeneratedDialogue,
  facts: ServerFacts,
): Promise<void> {
  const known = target.canSeeMessages;
  if (known) await target.received();
  const player = new Player(
    await target.connect(),
    new ServerModel(facts),
    (octets) => chunks.cut(octets),
    target,
  );
  await player.hear();
  for (const step of steps) {
    if (player.isOver) break;
    await player.take(step);
  }
  await player.end();
  if (known) compareStored(player.stored, await target.received());
  if (player.limit !== undefined) throw new CannotJudge(`the server announced a limit: ${player.limit}`);
}

const asLines = (lines: readonly string[]): string => lines.map((line) => `${line}\r\n`).join('');

class Player {
  readonly #dialogue: Dialogue;
  readonly #model: ServerModel;
  readonly #cut: (octets: Uint8Array) => readonly Uint8Array[];
  readonly #target: Target;
  readonly #challenges: Challenges = new Map();
  #hasLeft = false;
  /** The first reply by which the server has announced one. */
  limit: string | undefined;

  constructor(
    dialogue: Dialogue,
    model: ServerModel,
    cut: (octets: Uint8Array) => readonly Uint8Array[],
    target: Target,
  ) {
    this.#dialogue = dialogue;
    this.#model = model;
    this.#cut = cut;
    this.#target = target;
  }

  get isOver(): boolean {
    return this.#hasLeft || this.#model.isOver || (this.#model.mayBeOver && this.#dialogue.isEnded);
  }

  get stored(): readonly StoredMessage[] {
    return this.#model.stored;
  }

  async take(step: GeneratedStep): Promise<void> {
    switch (step.kind) {
      case 'lines':
        if (step.failsLogin) await this.#target.turnToFailLogin();
        return this.#lines(step);
      case 'proof':
        return this.#prove(step);
      case 'chunk':
        return this.#chunk(step);
      case 'injection':
        return this.#inject(step.line);
      case 'leave':
        return this.#leave(step.begun);
    }
  }

  /** Sends all at once, cut as the dialogue has it. */
  #send(octets: Uint8Array): void {
    for (const piece of this.#cut(octets)) this.#dialogue.send(piece);
  }

  /** Sends lines, of which no transcript has what may be a password. */
  #sendLines(lines: readonly string[], inExchange = false): void {
    const octets = encodeText(asLines(lines));
    const open = lines.map((line) => (inExchange ? openResponse(line) : openCommand(line)));
    if (open.every((line, index) => line === lines[index])) {
      this.#send(octets);
      return;
    }
    let shown = asLines(open);
    for (const piece of this.#cut(octets)) {
      this.#dialogue.send(piece, shown);
      shown = '';
    }
  }

  async #lines({
    lines,
    message = mailDataOf(new Uint8Array()),
    responses = [],
  }: Extract<GeneratedStep, { kind: 'lines' }>): Promise<void> {
    this.#sendLines(lines);
    for (const line of lines) if (!this.isOver) await this.#judge({ kind: 'line', line });
    if (this.isOver) return;
    for (let turn = 0; this.#model.phase === 'exchange' && !this.isOver; turn++) {
      const line = responses[turn] ?? '*';
      this.#sendLines([line], true);
      await this.#judge({ kind: 'line', line });
    }
    if (this.#model.phase === 'securing') await this.#handshake();
    if (this.#model.phase !== 'mailData') return;
    const { octets, behind = [] } = message;
    this.#send(Buffer.concat([octets, encodeText(asLines(behind))]));
    await this.#judge({ kind: 'mailData', octets });
    for (const line of behind) if (!this.isOver) await this.#judge({ kind: 'line', line });
  }

  /** Of these mechanisms the model knows only that an exchange goes on, or is over. */
  async #prove(step: Proof): Promise<void> {
    const { credentials } = this.#target;
    if (credentials === undefined || !this.#mayProve(step)) return;
    const prover = proverOf(step, credentials, this.#challenges);
    if (prover.outcome !== 'succeeds') await this.#target.turnToFailLogin();
    this.#sendLines([prover.command]);
    let reply = await this.#judge({ kind: 'line', line: prover.command });
    // Whoever is logged in already, or sends mail, is refused by rights.
    const begins = reply?.code !== 503 && reply?.code !== 504;
    for (let turn = 0; this.#model.phase === 'exchange' && !this.isOver; turn++) {
      const challenge = Buffer.from(reply?.lines[0] ?? '', 'base64').toString('latin1');
      const response = prover.respond(challenge, turn);
      const line = response === '*' ? '*' : base64(response);
      this.#sendLines([line], true);
      reply = await this.#judge({ kind: 'line', line });
    }
    if (reply === undefined || !begins || reply.code === 421) return;
    const isIn = reply.code === 235;
    const wrong =
      prover.outcome === 'is501'
        ? reply.code !== 501
        : isIn !== (prover.outcome === 'succeeds') || (isIn && prover.shown() !== undefined);
    if (!wrong) return;
    const seen = isIn ? (prover.shown() ?? 'the client is let in') : `${reply.code}`;
    throw new ModelDeviation(`RFC 4954 §4, §6: ${step.mechanism}`, `${step.how}: ${seen}`);
  }

  /** Without a certificate EXTERNAL lets nobody in, offered or not; to bind, there has to be something to bind to. */
  #mayProve({ mechanism, how }: Proof): boolean {
    const offered = (this.#model.offers.get('AUTH') ?? '').toUpperCase().split(' ');
    const needed = how === 'withoutBinding' ? `${mechanism}-PLUS` : mechanism;
    return mechanism === 'EXTERNAL' || (offered.includes(mechanism) && offered.includes(needed));
  }

  async #chunk(step: Extract<GeneratedStep, { kind: 'chunk' }>): Promise<void> {
    // What does not know BDAT takes its octets for commands.
    if (!this.#model.offers.has('CHUNKING')) return;
    const line = chunkLine(step);
    this.#send(Buffer.concat([encodeText(`${line}\r\n`), step.octets]));
    await this.#judge({ kind: 'chunk', line, octets: step.octets });
  }

  /** What was sent in the clear is dropped, or the connection with it (RFC 3207 §4.2, CVE-2011-0411). */
  async #inject(line: string): Promise<void> {
    if (!this.#model.offers.has('STARTTLS')) return;
    this.#dialogue.send(`STARTTLS\r\n${line}\r\n`);
    const { limit } = this;
    await this.#judge({ kind: 'line', line: 'STARTTLS' });
    if (this.isOver) {
      // To end the session by 421 is a right answer to this, and no limit.
      this.limit = limit;
      return;
    }
    if (this.#model.phase !== 'securing') {
      await this.#judge({ kind: 'line', line });
      return;
    }
    try {
      await this.#dialogue.startTls();
    } catch (error) {
      if (!(error instanceof Deviation)) throw error;
      if (this.#target.survey.offersUnderTls === undefined)
        throw new CannotJudge('no handshake succeeds here, with something injected or without');
      this.#hasLeft = true;
      return;
    }
    this.#model.say({ kind: 'handshake' });
    const replies = this.#dialogue.isEnded ? [] : await this.#dialogue.rest();
    this.#hasLeft = this.#dialogue.isEnded;
    if (replies.length > 0) {
      throw new ModelDeviation(
        'RFC 3207 §4.2, CVE-2011-0411',
        `after the handshake it replied to ${line}, which was sent in the clear`,
      );
    }
  }

  async #handshake(): Promise<void> {
    await this.#dialogue.startTls();
    this.#model.say({ kind: 'handshake' });
  }

  async #leave(begun: Uint8Array): Promise<void> {
    this.#dialogue.say('DATA');
    await this.#judge({ kind: 'line', line: 'DATA' });
    if (this.#model.phase === 'mailData') this.#send(begun);
    this.#dialogue.endSending();
    await this.#dialogue.rest();
    this.#hasLeft = true;
  }

  /** Resolves with the last reply; undefined: the connection is over. */
  async #judge(input: ModelInput): Promise<SeenReply | undefined> {
    this.#model.say(input);
    const reply = await this.hear();
    // The end of a connection comes after the last reply, if only by a moment.
    if (this.#model.mayBeOver && !this.#model.isOver) await this.#dialogue.endOrMore();
    return reply;
  }

  /** Reads the replies that are due. Resolves with the last of them. */
  async hear(): Promise<SeenReply | undefined> {
    let last: SeenReply | undefined;
    while (this.#model.awaitsReply) {
      if (this.isOver) return undefined;
      const reply = await this.#dialogue.reply('any');
      const [flaw] = reply.flaws;
      if (flaw !== undefined)
        throw new ModelDeviation('RFC 5321 §4.2, §4.5.3.1.5', `a reply is malformed: ${flaw}`);
      const violation = this.#model.hear(reply);
      if (violation !== undefined) throw new ModelDeviation(violation.clause, violation.message);
      if (announcesLimit(reply)) this.limit ??= shown(reply);
      last = reply;
    }
    return last;
  }

  /** Nothing more is due; after 221 and 421 the connection ends (RFC 5321 §3.8, §4.1.1.10). */
  async end(): Promise<void> {
    if (this.#hasLeft) return;
    if (this.#model.isOver) return this.#dialogue.closes();
    if (!this.isOver) await this.#dialogue.silence();
  }
}

function compareStored(expected: readonly StoredMessage[], stored: readonly StoredTestMessage[]): void {
  if (expected.length !== stored.length) {
    throw new ModelDeviation(
      'RFC 5321 §4.2.5',
      `it has said 250 to ${expected.length} messages, and has stored ${stored.length}`,
    );
  }
  for (const [index, { content, recipients, malformed }] of expected.entries()) {
    const found = stored[index];
    if (found === undefined || malformed) continue;
    if (!endsWith(found.content, content)) {
      const seen = `sent ${printable(content.slice(-200))}, stored ${printable(found.content.slice(-200))}`;
      throw new ModelDeviation('RFC 5321 §4.1.1.4, §4.5.2', `a message was changed: ${seen}`);
    }
    const wanted = [...recipients].sort().join(', ');
    const given = [...(found.recipients ?? recipients)].sort().join(', ');
    if (wanted !== given) {
      throw new ModelDeviation(
        'RFC 5321 §3.3, §4.1.1.3',
        `a message to ${wanted || 'nobody'} was stored for ${given || 'nobody'}`,
      );
    }
  }
}

/** Servers put lines of their own before a message (RFC 5321 §4.4). */
function endsWith(whole: Uint8Array, end: Uint8Array): boolean {
  const begin = whole.length - end.length;
  const isLine = begin === 0 || whole[begin - 1] === 0x0a;
  return begin >= 0 && isLine && Buffer.compare(whole.subarray(begin), end) === 0;
}
