/** Who observes a session, as its driver's parts see them: what nobody wants to know is not made. */
import type { Happening } from '../observing/observation.js';
import type { ServerEvent } from '../observing/observer.js';

export interface Watching {
  wants(type: ServerEvent['type']): boolean;
  /** Harmless where nobody wants it; ask `wants` first, and nothing is made for it. */
  tell(happening: Happening<ServerEvent>): void;
}
