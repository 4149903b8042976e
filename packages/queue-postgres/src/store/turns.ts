/** Who had the last turn, in this process: each goes round by itself, and so all together do. */

/** Domains whose last sender is remembered. */
const REMEMBERED = 10_000;

export class Turns {
  lastDomain: string | null = null;
  /** Domain → sender; those that had their turn last stand last. */
  readonly #senders = new Map<string, string>();

  lastSender(domain: string): string | null {
    return this.#senders.get(domain) ?? null;
  }

  had(domain: string, sender: string): void {
    this.lastDomain = domain;
    this.#senders.delete(domain);
    this.#senders.set(domain, sender);
    if (this.#senders.size <= REMEMBERED) return;
    const [oldest] = this.#senders.keys();
    if (oldest !== undefined) this.#senders.delete(oldest);
  }
}
