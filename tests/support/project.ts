import { chmod, cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { projectFolder } from '../../tools/settings.ts';

/** A small project with migrations of its own, to sign, tamper with and throw away. */
export interface TestProject {
  root: string;
  /** Replaces the content of a file, also one that was made read-only. */
  write(file: string, text: string): Promise<void>;
  /** Changes the text of a file. */
  edit(file: string, change: (text: string) => string): Promise<void>;
  remove(file: string): Promise<void>;
  dispose(): Promise<void>;
}

/** Makes one, with the given files and the real .gmrc. */
export async function makeProject(files: Record<string, string>): Promise<TestProject> {
  const root = await mkdtemp(path.join(tmpdir(), 'infirmary-project-'));
  await cp(path.join(projectFolder, '.gmrc'), path.join(root, '.gmrc'));
  const write = async (file: string, text: string): Promise<void> => {
    const target = path.join(root, file);
    await mkdir(path.dirname(target), { recursive: true });
    await chmod(target, 0o644).catch(() => {});
    await writeFile(target, text);
  };
  for (const [file, text] of Object.entries(files)) await write(file, text);
  return {
    root,
    write,
    edit: async (file, change) => write(file, change(await readFile(path.join(root, file), 'utf8'))),
    remove: (file) => rm(path.join(root, file)),
    dispose: () => rm(root, { recursive: true, force: true }),
  };
}
