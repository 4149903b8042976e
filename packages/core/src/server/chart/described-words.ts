/**
 * What goes over the wire with the transitions of the server chart: the command that triggers one, and its reply. The
 * replies are the very ones of the session: the chart names them, or asks a question that has a default.
 */
import { annotate } from '../../chart/description/annotate.js';
import type {
  ActionDescription,
  ChartDescription,
  ReplyDescription,
  StateDescription,
  TransitionDescription,
} from '../../chart/description/describe.js';
import type { Reply } from '../../wire/replies/reply.js';
import type { Question } from '../decisions/questions.js';
import { defaultReplies, type ReplyName, replies } from '../decisions/replies.js';

/** The description with `commands` and `replies`. */
export function withServerWords(description: ChartDescription): ChartDescription {
  return annotate(description, {
    transition(transition, state) {
      const given = transition.actions.flatMap((action) => repliesOf(action, transition, state));
      const words = commandsOf(transition);
      return {
        ...(words.length > 0 && { commands: words }),
        ...(given.length > 0 && { replies: given }),
      };
    },
  });
}

/** Any verb that is not named. */
const SOMETHING = '…';

function commandsOf({ trigger }: TransitionDescription): readonly string[] {
  if (trigger.kind === 'deadline') return [];
  const verb = /^command\.(.*)$/.exec(trigger.type)?.[1];
  if (verb !== undefined) return [verb === '*' || verb === 'extension' ? SOMETHING : verb];
  switch (trigger.type) {
    case 'endOfMailData':
      return ['text', '.'];
    case 'cancel':
      return ['*'];
    default:
      return [];
  }
}

function repliesOf(
  { name, params }: ActionDescription,
  { trigger, guard }: TransitionDescription,
  state: StateDescription,
): readonly ReplyDescription[] {
  const event = trigger.kind === 'event' ? trigger.type : '';
  switch (name) {
    case 'reply':
      return [fixed(replies[params?.reply as ReplyName])];
    case 'answer': {
      if (guard === 'endsSession') return [{ code: '421', origin: 'default' }];
      const question = state.entry.find((action) => action.name === 'ask')?.params?.question;
      const { accept, reject } = defaultReplies[question as Question['kind']];
      return [{ ...fixed(event === 'accepted' ? accept : reject), origin: 'default' }];
    }
    case 'challenge':
      return [{ code: '334', origin: 'fixed' }];
    case 'admitClient':
      return [{ ...fixed(defaultReplies.authenticate.accept), origin: 'default' }];
    case 'turnAway':
      return guard === 'undecidable'
        ? [
            {
              ...fixed(replies.authenticationUnavailable),
              ...(event === 'rejected' && { origin: 'default' }),
            },
          ]
        : [{ ...fixed(defaultReplies.authenticate.reject), origin: 'default' }];
    case 'refuse':
    case 'refuseMessage':
      return [{ code: refusalCode(event, guard), origin: 'event' }];
    default:
      return [];
  }
}

function fixed({ code, lines }: Reply): ReplyDescription {
  return { code: String(code), ...(lines[0] !== undefined && { text: lines[0] }), origin: 'fixed' };
}

/** The event brings its reply: what is always the same in it. */
function refusalCode(event: string, guard: string | undefined): string {
  if (event === 'cutOff') return '421';
  switch (guard) {
    case 'declaredTooLarge':
      return '552';
    case 'tooLarge':
      return String(replies.mailDataTooLarge.code);
    case 'malformed':
      return '554'; // `malformedMessage`
    default:
      return '5yz';
  }
}
