/**
 * Where things stand: one spine down the life of an attempt, ways that end early on its left, aborts on its
 * right. Positions are set by hand because a reader's eye wants them so; what stands there comes from the machine.
 * (elkjs 0.12, layered, downward, put the first part of `running` below its third, lines through words, and needed
 * 1597 x 2583 where this is 840 wide: half the size of a letter in a README.) A state or arrow
 * of the machine that has no place here, and a place that the machine has no use for, stop the drawing.
 * Owns: coordinates, in user units of a picture 840 wide, about the width of a README.
 * Must not know: what is written in a box or beside a line.
 */
import { WAY_OUT } from './arrows.js';
import type { Rect, TextLine } from './scene.js';

export const WIDTH = 840;
export const HEIGHT = 1684;

/** The line all that go well follows. */
const SPINE = 385;
/** Ways that end with nothing to give back run down the left edge into `released`. */
const NOTHING = 22;
/** Ways that have to give back a lock that is or may be ours run into `releasing`. */
const GIVE_BACK = 90;
/** The way out past the cleanup. */
const PAST_CLEANUP = 222;
/** A lease lost on the way: past `releasing`, nothing is left to give back. */
const LOST = 752;
/** Down the middle of the aborts. */
const ABORTS = 756;

export interface Place extends Rect {
  /**
   * Where what it answers without leaving stands, if not right below the rest: a whole has its parts in
   * between.
   */
  readonly answersFrom?: number;
  /** In how many columns those answers stand; 1 if not said. */
  readonly columns?: number;
}

const onSpine = (y: number, height: number): Place => ({ x: SPINE - 90, y, width: 180, height });
const cause = (y: number, height = 30): Place => ({ x: 700, y, width: 112, height });

export const places: Readonly<Record<string, Place>> = {
  'idle': onSpine(70, 44),
  'acquiring': { x: 44, y: 142, width: 430, height: 222 },
  'acquiring.waiting': { x: 322, y: 202, width: 134, height: 118 },
  'acquiring.cancelling': { x: 80, y: 230, width: 126, height: 58 },
  'locked': onSpine(398, 78),
  'running': { x: 108, y: 518, width: 452, height: 568, answersFrom: 972, columns: 2 },
  'running.working': { x: 392, y: 574, width: 156, height: 66 },
  'running.yielding': { x: 130, y: 606, width: 216, height: 200 },
  'running.yielding.asking': { x: 142, y: 662, width: 192, height: 46 },
  'running.yielding.pausing': { x: 142, y: 762, width: 192, height: 32 },
  'running.yielded': { x: 130, y: 864, width: 186, height: 62 },
  'running.reacquiring': { x: 392, y: 690, width: 156, height: 238 },
  'running.reacquiring.opening': { x: 402, y: 762, width: 136, height: 72 },
  'running.reacquiring.waiting': { x: 402, y: 872, width: 136, height: 46 },
  'aborting': { x: 690, y: 458, width: 132, height: 664, answersFrom: 968 },
  'aborting.user': cause(552),
  'aborting.timeout': cause(632),
  'aborting.shutdown': cause(672),
  'aborting.superseded': cause(712),
  'aborting.leaseLost': cause(752, 206),
  [WAY_OUT]: onSpine(1166, 44),
  'cleaning': onSpine(1268, 78),
  'releasing': { x: 76, y: 1410, width: 520, height: 132 },
  'releasing.asking': { x: 158, y: 1468, width: 134, height: 52 },
  'releasing.pausing': { x: 440, y: 1468, width: 134, height: 52 },
  'released': onSpine(1620, 44),
};

export type Side = 'left' | 'right' | 'top' | 'bottom';

export interface LabelPlace {
  /** The point of the block that `align` and `stand` speak of. */
  readonly x: number;
  readonly y: number;
  readonly align: TextLine['align'];
  /** Does the block stand on this height, hang from it, or have its middle there? */
  readonly stand: 'on' | 'under' | 'middle';
  readonly width: number;
}

export interface Route {
  readonly leave: Side;
  /** Where on that side: a height on the left and right, an abscissa on top and bottom. */
  readonly at: number;
  /** Turns in between, alternately abscissa and height. */
  readonly via?: readonly number[];
  /** The side of the target, or the line this one goes on as. */
  readonly enter: Side | { readonly join: string };
  readonly to: number;
  readonly label?: LabelPlace;
}

const on = (x: number, line: number, width: number, align: TextLine['align'] = 'start'): LabelPlace =>
  ({ x, y: line - 4, align, stand: 'on', width });
const under = (x: number, line: number, width: number, align: TextLine['align'] = 'start'): LabelPlace =>
  ({ x, y: line + 4, align, stand: 'under', width });
const beside = (x: number, middle: number, width: number): LabelPlace =>
  ({ x: x + 8, y: middle, align: 'start', stand: 'middle', width });
const leftOf = (x: number, middle: number, width: number): LabelPlace =>
  ({ x: x - 8, y: middle, align: 'end', stand: 'middle', width });

const down = (label: LabelPlace): Route => ({ leave: 'bottom', at: SPINE, enter: 'top', to: SPINE, label });
const toCause = (y: number): Route =>
  ({ leave: 'right', at: y, enter: 'left', to: y, label: on(568, y, 116) });
const nothingLeft = { join: 'idle > released' };
const giveBack = { join: 'acquiring.cancelling > releasing' };

export const routes: Readonly<Record<string, Route>> = {
  'idle > acquiring': down(beside(SPINE, 128, 60)),
  'idle > released': {
    leave: 'left', at: 92, via: [NOTHING], enter: 'left', to: 1642, label: on(34, 92, 240),
  },

  'acquiring.waiting > locked': down(beside(SPINE, 381, 80)),
  'acquiring.waiting > released': {
    leave: 'left', at: 215, enter: nothingLeft, to: NOTHING, label: on(314, 215, 80, 'end'),
  },
  'acquiring.waiting > releasing': {
    leave: 'bottom', at: 342, via: [346], enter: giveBack, to: GIVE_BACK, label: on(214, 346, 120),
  },
  'acquiring.waiting > acquiring.cancelling': {
    leave: 'left', at: 244, enter: 'right', to: 244, label: under(214, 244, 104),
  },
  'acquiring.cancelling > released': {
    leave: 'left', at: 260, enter: nothingLeft, to: NOTHING, label: on(49, 260, 28),
  },
  'acquiring.cancelling > releasing': {
    leave: 'bottom', at: GIVE_BACK, enter: 'top', to: GIVE_BACK, label: beside(GIVE_BACK, 317, 104),
  },

  'locked > running': down(beside(SPINE, 496, 80)),
  'locked > releasing': { leave: 'left', at: 437, enter: giveBack, to: GIVE_BACK, label: on(102, 437, 124) },
  'locked > aborting': {
    leave: 'right', at: 424, via: [ABORTS], enter: 'top', to: ABORTS, label: on(482, 424, 266),
  },

  'running.working > running.yielding': {
    leave: 'left', at: 626, enter: 'right', to: 626, label: on(369, 626, 44, 'middle'),
  },
  'running.yielding.asking > running.yielding.pausing': {
    leave: 'bottom', at: 152, enter: 'top', to: 152, label: beside(152, 735, 100),
  },
  'running.yielding.pausing > running.yielding.asking': {
    leave: 'top', at: 258, enter: 'bottom', to: 258, label: beside(258, 735, 80),
  },
  'running.yielding > running.yielded': {
    leave: 'bottom', at: 238, enter: 'top', to: 238, label: beside(238, 835, 100),
  },
  'running.yielded > running.reacquiring': {
    leave: 'right', at: 896, enter: 'left', to: 896, label: on(354, 896, 60, 'middle'),
  },
  'running.reacquiring.waiting > running.reacquiring.opening': {
    leave: 'top', at: 470, enter: 'bottom', to: 470, label: beside(470, 854, 60),
  },
  'running.reacquiring.opening > running.working': {
    leave: 'top', at: 530, enter: 'bottom', to: 530, label: leftOf(530, 665, 60),
  },
  'running.reacquiring.opening > aborting.leaseLost': {
    leave: 'right', at: 816, enter: 'left', to: 816, label: on(568, 816, 116),
  },
  'running.reacquiring.waiting > aborting.leaseLost': {
    leave: 'right', at: 896, enter: 'left', to: 896, label: on(568, 896, 116),
  },
  'running.yielding > aborting.leaseLost': {
    leave: 'left', at: 685, via: [119, 944], enter: 'left', to: 944, label: on(568, 944, 116),
  },

  'running > aborting.user': toCause(567),
  'running > aborting.timeout': toCause(647),
  'running > aborting.shutdown': toCause(687),
  'running > aborting.superseded': toCause(727),
  'running > aborting.leaseLost': toCause(772),
  [`running > ${WAY_OUT}`]: down(beside(SPINE, 1126, 140)),

  [`aborting > ${WAY_OUT}`]: {
    leave: 'bottom', at: ABORTS, via: [1188], enter: 'right', to: 1188, label: on(500, 1188, 180),
  },
  [`${WAY_OUT} > cleaning`]: down(leftOf(SPINE, 1236, 130)),
  [`${WAY_OUT} > releasing`]: {
    leave: 'left', at: 1188, via: [PAST_CLEANUP], enter: 'top', to: PAST_CLEANUP,
    label: on(288, 1188, 70, 'end'),
  },
  [`${WAY_OUT} > released`]: {
    leave: 'bottom', at: 440, via: [1240, LOST], enter: 'right', to: 1642, label: on(500, 1240, 100),
  },

  'cleaning > releasing': down(beside(SPINE, 1378, 110)),
  'cleaning > released': {
    leave: 'right', at: 1307, enter: { join: `${WAY_OUT} > released` }, to: LOST, label: on(500, 1307, 80),
  },

  'releasing > releasing': {
    leave: 'right', at: 1448, via: [622], enter: 'right', to: 1494, label: beside(622, 1471, 90),
  },
  'releasing.asking > releasing.pausing': {
    leave: 'right', at: 1482, enter: 'left', to: 1482, label: on(306, 1482, 120),
  },
  'releasing.pausing > releasing.asking': {
    leave: 'left', at: 1508, enter: 'right', to: 1508, label: under(306, 1508, 110),
  },
  'releasing > released': down(beside(SPINE, 1580, 120)),
};

/**
 * Where the dot stands from which a whole is begun, straight beside or above its first part. '' is the
 * machine.
 */
export const starts: Readonly<Record<string, { readonly x: number; readonly y: number }>> = {
  '': { x: SPINE, y: 46 },
  'acquiring': { x: SPINE, y: 176 },
  'running': { x: 470, y: 544 },
  'running.yielding': { x: 312, y: 638 },
  'running.reacquiring': { x: 422, y: 852 },
  'releasing': { x: 126, y: 1494 },
};

/** The caption under the thick arrow of the way out. */
export const captionPlace: LabelPlace = under(500, 1188, 290);
/** Title, legend and notes. */
export const titleAt = { x: 24, y: 32 };
export const legendAt = { x: 534, y: 70, width: 280 };
