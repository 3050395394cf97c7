/**
 * States that only the causes of their aborts tell apart, walked as one.
 * Sound because S18 is checked while it is used: whatever one of a kin does in the walk all of them do, and a step
 * of one that goes to another kin, or names other commands about the lock, is a violation.
 * Must not know: the store.
 */
import type { AttemptInput } from '../../../machines/attempt.types.js';
import type { AttemptState, AttemptStates, EventIn, Step, Steps } from './states.js';

interface Kin {
  /** The member the walk sees. */
  readonly head: number;
  readonly members: number[];
  readonly taken: Map<number, { readonly eventIn: EventIn; readonly step: Step }>;
}

const newKin = (head: number): Kin => ({ head, members: [], taken: new Map() });

export class KinStates implements Steps {
  readonly #kins = new Map<number, Kin>();
  readonly #kinOf: Kin[] = [];
  /** Members that still have to take a step their kin has taken. */
  readonly #behind: { readonly member: number; readonly move: number; readonly eventIn: EventIn }[] = [];
  readonly first: number;
  readonly input: AttemptInput;

  constructor(readonly each: AttemptStates) {
    this.input = each.input;
    this.first = this.#join(each.first).head;
  }

  get size(): number {
    return this.#kins.size;
  }

  at(id: number): AttemptState {
    return this.each.at(id);
  }

  step(from: number, move: number, eventIn: EventIn): Step {
    const kin = this.#kinOf[from]!;
    const known = kin.taken.get(move);
    if (known) return known.step;
    const own = this.each.step(from, move, eventIn);
    const step: Step = { ...own, to: this.#join(own.to).head };
    kin.taken.set(move, { eventIn, step });
    for (const member of kin.members) this.#behind.push({ member, move, eventIn });
    this.#catchUp();
    return step;
  }

  #catchUp(): void {
    for (let next = this.#behind.pop(); next; next = this.#behind.pop()) {
      const { member, move, eventIn } = next;
      const { to } = this.each.step(member, move, eventIn);
      if (this.#join(to).head === this.#kinOf[member]!.taken.get(move)!.step.to) continue;
      const { type } = eventIn(this.at(member));
      this.each.findings.set('S18', { id: 'S18', what: `${type} leads another way for one cause than for another` });
    }
  }

  #join(id: number): Kin {
    const known = this.#kinOf[id];
    if (known) return known;
    const kind = this.each.kindOf(id);
    const kin = this.#kins.get(kind) ?? newKin(id);
    this.#kins.set(kind, kin);
    this.#kinOf[id] = kin;
    kin.members.push(id);
    for (const [move, { eventIn }] of kin.taken) this.#behind.push({ member: id, move, eventIn });
    return kin;
  }
}
