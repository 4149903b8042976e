/** What a handler's error becomes on the wire. */
import { Rejection } from '@sansmtp/transport';

/** A refusal with this text, as it stands in smtp-server. */
export function refusal(code: number, text: string): Rejection {
  return new Rejection(code, undefined, String(text));
}

/**
 * The error with which a handler refuses: by its `responseCode` and its text, as smtp-server sends them.
 * @param code where the error has no `responseCode`, or none that refuses
 */
export function refusalBy(error: unknown, code: number): Rejection {
  const { responseCode, message } = error as { responseCode?: unknown; message?: unknown };
  const refuses = typeof responseCode === 'number' && responseCode >= 400 && responseCode <= 599;
  return refusal(refuses ? responseCode : code, String(message ?? ''));
}
