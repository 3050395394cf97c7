/**
 * Where things stand: one spine down the life of an attempt, ways that end early on its left, aborts on its
 * right. Positions are set by hand because a reader's eye wants them so (automatic layouts put the causes
 * below the work and the way out beside them); what stands there comes from the machine. A state or arrow
 * of the machine that has no place here, and a place that the machine has no use for, stop the drawing.
 * Owns: coordinates, in user units of a picture 840 wide, about the width of a README.
 * Must not know: what is written in a box or beside a line.
 */
import { WAY_OUT } from './arrows.js';
import type { Rect, TextLine } from './scene.js';

export const WIDTH = 840;
export const HEIGHT = 1386;

/** The line all that go well follows. */
const SPINE = 385;
/** Ways that end with nothing to give back run down the left edge into `released`. */
const NOTHING = 22;
/** Ways that have to give back a lock that is or may be ours run into `releasing`. */
const GIVE_BACK = 150;
/** The way out past the cleanup. */
const PAST_CLEANUP = 222;
/** A lease lost on the way: past `releasing`, nothing is left to give back. */
const LOST = 752;

export interface Place extends Rect {
  /**
   * Where what it answers without leaving stands, if not right below the rest: a whole has its parts in
   * between.
   */
  readonly answersFrom?: number;
}

const onSpine = (y: number, height: number): Place => ({ x: SPINE - 90, y, width: 180, height });
const cause = (middle: number, height = 30): Place =>
  ({ x: 646, y: middle - height / 2, width: 160, height });

export const places: Readonly<Record<string, Place>> = {
  'idle': onSpine(70, 44),
  'acquiring': { x: 44, y: 142, width: 430, height: 222 },
  'acquiring.waiting': { x: 322, y: 202, width: 134, height: 118 },
  'acquiring.cancelling': { x: 80, y: 230, width: 126, height: 58 },
  'locked': onSpine(398, 78),
  'running': onSpine(518, 258),
  'aborting': { x: 630, y: 480, width: 192, height: 386, answersFrom: 784 },
  'aborting.user': cause(552),
  'aborting.timeout': cause(632),
  'aborting.shutdown': cause(670),
  'aborting.superseded': cause(708),
  'aborting.leaseLost': cause(753, 44),
  [WAY_OUT]: onSpine(868, 44),
  'cleaning': onSpine(970, 78),
  'releasing': { x: 96, y: 1112, width: 500, height: 132 },
  'releasing.asking': { x: 158, y: 1170, width: 134, height: 52 },
  'releasing.pausing': { x: 440, y: 1170, width: 134, height: 52 },
  'released': onSpine(1322, 44),
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
  ({ leave: 'right', at: y, enter: 'left', to: y, label: on(482, y, 144) });
const nothingLeft = { join: 'idle > released' };
const giveBack = { join: 'acquiring.cancelling > releasing' };

export const routes: Readonly<Record<string, Route>> = {
  'idle > acquiring': down(beside(SPINE, 128, 60)),
  'idle > released': {
    leave: 'left', at: 92, via: [NOTHING], enter: 'left', to: 1344, label: on(34, 92, 240),
  },

  'acquiring.waiting > locked': down(beside(SPINE, 381, 80)),
  'acquiring.waiting > released': {
    leave: 'left', at: 215, enter: nothingLeft, to: NOTHING, label: on(314, 215, 80, 'end'),
  },
  'acquiring.waiting > releasing': {
    leave: 'bottom', at: 342, via: [346], enter: giveBack, to: GIVE_BACK, label: on(162, 346, 120),
  },
  'acquiring.waiting > acquiring.cancelling': {
    leave: 'left', at: 244, enter: 'right', to: 244, label: under(214, 244, 104),
  },
  'acquiring.cancelling > released': {
    leave: 'left', at: 260, enter: nothingLeft, to: NOTHING, label: on(49, 260, 28),
  },
  'acquiring.cancelling > releasing': {
    leave: 'bottom', at: GIVE_BACK, enter: 'top', to: GIVE_BACK, label: leftOf(GIVE_BACK, 318, 98),
  },

  'locked > running': down(beside(SPINE, 496, 80)),
  'locked > releasing': { leave: 'left', at: 437, enter: giveBack, to: GIVE_BACK, label: on(162, 437, 124) },
  'locked > aborting': {
    leave: 'right', at: 424, via: [726], enter: 'top', to: 726, label: on(482, 424, 236),
  },

  'running > aborting.user': toCause(552),
  'running > aborting.timeout': toCause(632),
  'running > aborting.shutdown': toCause(670),
  'running > aborting.superseded': toCause(708),
  'running > aborting.leaseLost': toCause(753),
  [`running > ${WAY_OUT}`]: down(beside(SPINE, 820, 140)),

  [`aborting > ${WAY_OUT}`]: {
    leave: 'bottom', at: 726, via: [890], enter: 'right', to: 890, label: on(500, 890, 220),
  },
  [`${WAY_OUT} > cleaning`]: down(leftOf(SPINE, 938, 130)),
  [`${WAY_OUT} > releasing`]: {
    leave: 'left', at: 890, via: [PAST_CLEANUP], enter: 'top', to: PAST_CLEANUP,
    label: on(288, 890, 70, 'end'),
  },
  [`${WAY_OUT} > released`]: {
    leave: 'bottom', at: 440, via: [942, LOST], enter: 'right', to: 1344, label: on(500, 942, 100),
  },

  'cleaning > releasing': down(beside(SPINE, 1080, 110)),
  'cleaning > released': {
    leave: 'right', at: 1009, enter: { join: `${WAY_OUT} > released` }, to: LOST, label: on(500, 1009, 80),
  },

  'releasing > releasing': {
    leave: 'right', at: 1150, via: [622], enter: 'right', to: 1196, label: beside(622, 1173, 90),
  },
  'releasing.asking > releasing.pausing': {
    leave: 'right', at: 1184, enter: 'left', to: 1184, label: on(306, 1184, 120),
  },
  'releasing.pausing > releasing.asking': {
    leave: 'left', at: 1210, enter: 'right', to: 1210, label: under(306, 1210, 110),
  },
  'releasing > released': down(beside(SPINE, 1282, 120)),
};

/**
 * Where the dot stands from which a whole is begun, straight beside or above its first part. '' is the
 * machine.
 */
export const starts: Readonly<Record<string, { readonly x: number; readonly y: number }>> = {
  '': { x: SPINE, y: 46 },
  'acquiring': { x: SPINE, y: 176 },
  'releasing': { x: 126, y: 1196 },
};

/** The caption under the thick arrow of the way out. */
export const captionPlace: LabelPlace = under(500, 890, 290);
/** Title, legend and notes. */
export const titleAt = { x: 24, y: 32 };
export const legendAt = { x: 534, y: 70, width: 280 };
