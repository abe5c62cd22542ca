import { existsSync, rmSync } from 'node:fs';
import path from 'node:path';
import { openHome, readIfPresent, writeWhole } from '../cluster/home.ts';
import { Failure } from '../failure.ts';

/** What a standby's home folder says of the server it follows. */
export interface Note {
  /** What the standby and its slot are called there. */
  name: string;
  host: string;
  port: number;
  /** The home folder of that server, where it is a private cluster of this machine. */
  primaryHome?: string;
}

const fileIn = (folder: string): string => path.join(folder, 'standby.json');

/** Keeps it, for the commands to come. */
export function writeNote(folder: string, note: Note): void {
  writeWhole(fileIn(folder), `${JSON.stringify(note, null, 2)}\n`);
}

/** @throws Failure when no standby is there */
export function readNote(folder: string): Note {
  const text = existsSync(folder) ? readIfPresent(fileIn(folder)) : undefined;
  if (text !== undefined) return JSON.parse(text) as Note;
  throw new Failure(`There is no standby in ${folder}.`, `Make one: infirmary standby create --into ${folder}`);
}

/** A standby no more. */
export function removeNote(folder: string): void {
  rmSync(fileIn(folder), { force: true });
}

/** Forbids the private cluster of a home folder to start again, since another server has taken its place. */
export function retire(folder: string, by: string): void {
  writeWhole(openHome(folder).replaced, `${by}\n`);
}

/** Takes that back. */
export function reinstate(folder: string): void {
  rmSync(openHome(folder).replaced, { force: true });
}
