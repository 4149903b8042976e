/** Which handler decides on which question of a session, and what it is told. */
import type { Answer, AuthenticationAttempt, Question } from '@sansmtp/core';
import {
  ACCEPT,
  accepts,
  CLOSED_BY_LIMIT,
  isNamelessGrant,
  isPromiseLike,
  namelessGrant,
  REJECT,
  ruleFor,
} from '../handlers/handler-answers.js';
import type { HandlerResult, ServerHandlers, ServerSessionInformation } from '../handlers/handlers.js';
import type { Application } from './application.js';
import type { LoginFailures } from './login-failures.js';

/** By which handler a question is decided. */
export const HANDLERS = {
  connect: 'onConnect',
  hello: 'onHello',
  mail: 'onMailFrom',
  rcpt: 'onRcptTo',
  data: 'onData',
  message: 'onMessage',
  verify: 'onVerify',
  expand: 'onExpand',
  help: 'onHelp',
  startTls: 'onStartTls',
  credentials: 'onCredentials',
  authenticate: 'onAuth',
  etrn: 'onEtrn',
  extension: 'onExtension',
} as const satisfies Record<Question['kind'], string>;

/** Those that a handler is called for when they are asked. */
type HandledQuestion = Exclude<Question, { readonly kind: 'startTls' | 'message' }>;

/** Those of an AUTH exchange, where failures count. */
type AuthenticationQuestion = Extract<Question, { readonly kind: 'credentials' | 'authenticate' }>;

/** Has the application decide: at once if its handler does, else when its promise settles. */
export function consult(
  question: Exclude<HandledQuestion, AuthenticationQuestion>,
  application: Application,
): Answer | Promise<Answer> {
  const { handlers, information } = application;
  const rule = ruleFor(question.kind);
  switch (question.kind) {
    case 'connect':
      if (
        handlers.createState === undefined &&
        handlers.onConnect === undefined &&
        handlers.onSecure === undefined
      )
        return ACCEPT;
      return application.answerOf('onConnect', rule, () => {
        const begin = (state: unknown) => {
          information.state = state;
          return connected(handlers, information);
        };
        const state: unknown = handlers.createState?.(information as never);
        return isPromiseLike(state) ? Promise.resolve(state).then(begin) : begin(state);
      });
    case 'hello':
      if (handlers.onHello === undefined) return ACCEPT;
      return application.answerOf('onHello', rule, () => handlers.onHello?.(question.hello, information));
    case 'mail':
      if (handlers.onMailFrom === undefined) return ACCEPT;
      return application.answerOf('onMailFrom', rule, () => handlers.onMailFrom?.(question, information));
    case 'rcpt':
      if (handlers.onRcptTo === undefined) return ACCEPT;
      return application.answerOf('onRcptTo', rule, () =>
        handlers.onRcptTo?.(question, question.envelope, information),
      );
    case 'data':
      if (handlers.onData === undefined) return ACCEPT;
      return application.answerOf('onData', rule, () => handlers.onData?.(question.envelope, information));
    case 'verify':
      if (handlers.onVerify === undefined) return ACCEPT;
      return application.answerOf('onVerify', rule, () =>
        handlers.onVerify?.(question.argument, information),
      );
    case 'expand':
      if (handlers.onExpand === undefined) return REJECT;
      return application.answerOf('onExpand', rule, () =>
        handlers.onExpand?.(question.argument, information),
      );
    case 'help':
      if (handlers.onHelp === undefined) return ACCEPT;
      return application.answerOf('onHelp', rule, () => handlers.onHelp?.(question.argument, information));
    case 'etrn':
      if (handlers.onEtrn === undefined) return REJECT;
      return application.answerOf('onEtrn', rule, () => handlers.onEtrn?.(question.argument, information));
    case 'extension':
      if (handlers.onExtension === undefined) return REJECT;
      return application.answerOf('onExtension', rule, () => handlers.onExtension?.(question, information));
  }
}

/** Likewise, unless too many attempts have failed. */
export function consultOnAuthentication(
  question: AuthenticationQuestion,
  application: Application,
  failures: LoginFailures,
): Answer | Promise<Answer> {
  if (question.kind === 'authenticate') return authenticate(question.attempt, application, failures);
  if (failures.areTooMany(question.username)) return CLOSED_BY_LIMIT;
  const { handlers, information } = application;
  return application.answerOf('onCredentials', ruleFor(question.kind), () =>
    handlers.onCredentials?.(question, information),
  );
}

function authenticate(
  attempt: AuthenticationAttempt,
  application: Application,
  failures: LoginFailures,
): Answer | Promise<Answer> {
  const { handlers, information } = application;
  const { onAuth } = handlers;
  if (onAuth === undefined) return REJECT;
  const username = 'username' in attempt ? attempt.username : '';
  if (failures.areTooMany(username)) return CLOSED_BY_LIMIT;
  const check = (answer: Answer) => {
    if (isNamelessGrant(attempt, answer)) application.report('onAuth', namelessGrant(attempt));
    return answer;
  };
  const answer = application.answerOf('onAuth', ruleFor('authenticate'), () =>
    onAuth.call(handlers, attempt, information),
  );
  return answer instanceof Promise ? answer.then(check) : check(answer);
}

/** Someone connected, under TLS perhaps, which is decided on first. */
function connected(handlers: ServerHandlers, information: ServerSessionInformation): HandlerResult {
  const { tls } = information;
  if (tls === undefined || handlers.onSecure === undefined) return handlers.onConnect?.(information);
  const next = (result: Awaited<HandlerResult>): HandlerResult =>
    accepts(result) ? handlers.onConnect?.(information) : result;
  const result = handlers.onSecure(tls, information);
  return isPromiseLike(result) ? Promise.resolve(result).then(next) : next(result);
}
