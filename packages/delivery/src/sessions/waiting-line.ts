/** First come, first served; who has left the line is passed over. Constant time for each, however long it is. */
export class WaitingLine<Member extends { readonly waiting: boolean }> {
  #members: (Member | undefined)[] = [];
  #head = 0;

  join(member: Member): void {
    this.#members.push(member);
  }

  /** Whoever is next, and stays so. */
  first(): Member | undefined {
    for (; this.#head < this.#members.length; this.#head++) {
      const member = this.#members[this.#head];
      if (member?.waiting) {
        this.#tidy();
        return member;
      }
      this.#members[this.#head] = undefined;
    }
    this.#members = [];
    this.#head = 0;
    return undefined;
  }

  /** `shift()` would move all who wait each time. */
  #tidy(): void {
    if (this.#head < 1024 || this.#head * 2 < this.#members.length) return;
    this.#members = this.#members.slice(this.#head);
    this.#head = 0;
  }
}
