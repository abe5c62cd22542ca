/** What both sides of a comparison must share, as observed while they worked; otherwise it says nothing. */
export interface Conditions {
  /** A digest of the rows or the document answered. */
  rows: string;
  /** The database role that read them. */
  role: string;
  /** fsync, synchronous_commit and full_page_writes of the server that held them. */
  durability: string;
}

/** One round's figures of one contender, by the figure's key. */
export type Sample = Record<string, number>;

/** One of the ways compared. */
export interface Contender {
  name: string;
  /** Does the work once, observed. Throws Void when it turns out not to be what its name says. */
  conditions(): Promise<Conditions>;
  /** Does the work, measured. */
  sample(): Promise<Sample>;
}

/** What is measured of every contender. */
export interface Figure {
  key: string;
  title: string;
  /** Where the clock was: at the client, in the PostgreSQL server, or the time a process spent on a CPU. */
  clock: 'client' | 'server' | 'cpu';
  unit: string;
}

/** How many times the figure of one contender is that of another. */
export interface Ratio {
  figure: string;
  of: string;
  to: string;
  /** The least that is hoped for. */
  aim?: number;
}

/** The most that a contender's figure is hoped to be, on the machine that the report names. */
export interface Limit {
  figure: string;
  of: string;
  most: number;
}

export interface Comparison {
  title: string;
  figures: readonly Figure[];
  contenders: readonly Contender[];
  /** The one condition in which the contenders are meant to differ. */
  differsIn?: keyof Conditions;
  ratios: readonly Ratio[];
  limits?: readonly Limit[];
  /** Rounds counted, after the rounds of warm-up. */
  rounds: number;
  warmUp: number;
  /** Lines that belong beside the figures: plans, statements. Asked before measuring. */
  notes?(): Promise<string[]>;
  /** Plans and profiles, asked for when an aim was missed. */
  explain?(missed: Ratio[]): Promise<string[]>;
}

export interface Summary {
  median: number;
  least: number;
  most: number;
}

export interface RatioResult extends Ratio {
  /** The ratio of the medians. */
  value: number;
  /** The least and the greatest ratio within a single round. */
  least: number;
  most: number;
  met?: boolean;
}

export interface LimitResult extends Limit {
  /** The median. */
  value: number;
  met: boolean;
}

export interface Result {
  title: string;
  /** Why the comparison was refused; then there are no figures. */
  void?: string;
  rounds: number;
  warmUp: number;
  figures: readonly Figure[];
  contenders: { name: string; conditions?: Conditions; medians: Record<string, Summary> }[];
  ratios: RatioResult[];
  limits: LimitResult[];
  notes: string[];
  /** Why an aim was missed: plans and profiles. */
  evidence: string[];
}

/** Thrown by a contender that is not what its name says: the comparison is refused, not the run. */
export class Void extends Error {}
