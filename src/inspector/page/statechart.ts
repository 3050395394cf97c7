/**
 * The machine's picture with one attempt's state lit, and the way it took.
 * Owns: how a step finds its arrow. Must not know: where the attempt came from.
 */
/// <reference lib="dom" />
import { topOf, type View } from './model.js';

const WAY_OUT = 'wayOut';

/** A state and all it lies in: `a.b.c`, `a.b`, `a`, and the root. */
const selfAndAbove = (state: string): string[] => {
  const parts = state.split('.');
  return [...parts.map((_, nth) => parts.slice(0, parts.length - nth).join('.')), ''];
};

/** Does an arrow's transition (`running abort.user`, `aborting after settleMs`, `idle abort.* 2`) stand for this event? */
function standsFor(transition: string, from: string, event: string): boolean {
  const name = event.replace(/^after\./, 'after ');
  const names = [name, ...(name.startsWith('abort.') ? ['abort.*'] : [])];
  return selfAndAbove(from).some((source) => names.some((one) => {
    const id = `${source} ${one}`.trim();
    return transition === id || (transition.startsWith(`${id} `) && /^\d+$/.test(transition.slice(id.length + 1)));
  }));
}

interface Arrow {
  readonly element: Element;
  readonly from: string;
  readonly to: string;
  readonly transitions: readonly string[];
}

/** @returns the arrows a step went along: one, or two by the shared way out. */
export function arrowsOf<A extends Pick<Arrow, 'from' | 'to' | 'transitions'>>(
  arrows: readonly A[], { from, to, event }: View['taken'][number],
): A[] {
  if (from === to) return [];
  const direct = arrows.filter((arrow) => selfAndAbove(to).includes(arrow.to)
    && arrow.transitions.some((transition) => standsFor(transition, from, event)));
  if (direct.length > 0) return direct;
  return arrows.filter((arrow) => (arrow.from === topOf(from) && arrow.to === WAY_OUT)
    || (arrow.from === WAY_OUT && arrow.to === topOf(to)));
}

export class Statechart {
  readonly #states = new Map<string, Element>();
  readonly #arrows: Arrow[] = [];

  /** @param host gets the picture, behind a shadow so that its style stays with it */
  constructor(host: HTMLElement, svg: string) {
    const root = host.attachShadow({ mode: 'open' });
    // Its style would be inline, which the page's own policy forbids: it comes in as a sheet.
    const style = /<style>([^<]*)<\/style>/.exec(svg);
    const picture = new DOMParser().parseFromString(svg.replace(style?.[0] ?? '', ''), 'image/svg+xml').documentElement;
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(`${style?.[1] ?? ''}
svg{display:block;width:100%;height:auto}
.lit>rect{stroke-width:3.5px;stroke:#bf3989}.lit>text:first-of-type{font-weight:700;fill:#bf3989}
.taken .line{stroke:#bf3989;stroke-width:3.5px}.taken .head{fill:#bf3989}
@media(prefers-color-scheme:dark){.lit>rect,.taken .line{stroke:#ff80c8}.lit>text:first-of-type,.taken .head{fill:#ff80c8}}
`);
    root.adoptedStyleSheets = [sheet];
    root.append(picture);
    for (const one of root.querySelectorAll('[data-state]')) this.#states.set(one.getAttribute('data-state') ?? '', one);
    for (const element of root.querySelectorAll('[data-arrow]')) {
      const [from = '', to = ''] = (element.getAttribute('data-arrow') ?? '').split(' > ');
      this.#arrows.push({ element, from, to, transitions: (element.getAttribute('data-transitions') ?? '').split('; ') });
    }
  }

  show(view: View | null): void {
    const lit = new Set(view ? selfAndAbove(view.state) : []);
    for (const [state, element] of this.#states) element.classList.toggle('lit', lit.has(state));
    const taken = new Set((view?.taken ?? []).flatMap((step) => arrowsOf(this.#arrows, step)));
    for (const arrow of this.#arrows) arrow.element.classList.toggle('taken', taken.has(arrow));
  }
}
