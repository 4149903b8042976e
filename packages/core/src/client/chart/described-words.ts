/**
 * What goes over the wire with the client chart: the command that is sent on entering a state, and the reply that each
 * transition of the state waits for. A client goes by the first digit (RFC 5321 §4.2); the code that a server gives
 * for success is that of RFC 5321 §4.3.2.
 */
import { annotate } from '../../chart/description/annotate.js';
import type {
  ChartDescription,
  ReplyDescription,
  StateDescription,
} from '../../chart/description/describe.js';

/** By the last part of a state's path: what the client sends on the way into it, and the reply to it that leads on. */
const DIALOGUE: Readonly<
  Record<string, { readonly commands?: readonly string[]; readonly success?: string }>
> = {
  greeting: { success: '220' },
  identifying: { commands: ['EHLO'], success: '250' },
  fallingBack: { commands: ['HELO'], success: '250' },
  startingTls: { commands: ['STARTTLS'], success: '220' },
  responding: { commands: ['AUTH'], success: '235' },
  substituting: { commands: ['XCLIENT'], success: '220' },
  forwarding: { commands: ['XFORWARD'], success: '250' },
  inquiring: { commands: ['VRFY', 'EXPN', 'HELP', 'NOOP'], success: '2yz' },
  mailing: { commands: ['MAIL'], success: '250' },
  addressing: { commands: ['RCPT'], success: '250' },
  initiating: { commands: ['DATA'] },
  sending: { commands: ['text'] },
  chunking: { commands: ['BDAT'], success: '250' },
  holding: { success: '250' },
  draining: { success: '250' },
  concluding: { success: '250' },
  abandoned: { success: '250' },
  terminating: { commands: ['.'], success: '250' },
  delivering: { success: '250' },
  resetting: { commands: ['RSET'], success: '250' },
  quitting: { commands: ['QUIT'], success: '221' },
  refused: { commands: ['QUIT'] },
  cancelled: { commands: ['*'] },
};

/** The description with `commands` and `replies`. */
export function withClientWords(description: ChartDescription): ChartDescription {
  return annotate(description, {
    state({ key }) {
      const commands = DIALOGUE[key]?.commands;
      return commands === undefined ? {} : { commands };
    },
    transition({ trigger }, state) {
      const awaited = trigger.kind === 'event' ? codeOf(trigger.type, state) : undefined;
      return awaited === undefined ? {} : { replies: [awaited] };
    },
  });
}

function codeOf(type: string, { key }: StateDescription): ReplyDescription | undefined {
  const word = /^reply\.(.*)$/.exec(type)?.[1];
  if (word === undefined) return undefined;
  return { code: codes(word, key), origin: 'peer' };
}

function codes(word: string, key: string): string {
  switch (word) {
    case 'success':
      return DIALOGUE[key]?.success ?? '2yz';
    case 'intermediate':
      return key === 'initiating' ? '354' : '334';
    case 'transient':
      return '4yz';
    case 'permanent':
      return '5yz';
    case '*':
      return 'any';
    default:
      return word;
  }
}
