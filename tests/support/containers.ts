import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { parse } from 'yaml';
import { findBinaries } from '../../tools/cluster/binaries.ts';
import { projectFolder } from '../../tools/settings.ts';

/*
 * docker-compose.yml and Dockerfile without Docker: what they say is done, word for word, by the kernel's own means. Each service
 * gets a root folder put together from mounts (the host's /usr, what the Dockerfile copies, volumes, secrets, tmpfs), read-only
 * where the file says so, and runs in it as the user it names, without capabilities. Instead of networks all share one loopback
 * interface, apart from the machine's, where every service's name is 127.0.0.1. Needs root.
 */

/** A service as docker-compose.yml has it. */
export interface Service {
  image: string;
  build?: { target: string };
  command: string[];
  user: string;
  environment?: Record<string, string>;
  secrets?: string[];
  volumes?: string[];
  tmpfs?: string[];
  networks: string[];
  ports?: string[];
  profiles?: string[];
  read_only?: boolean;
  cap_drop?: string[];
  security_opt?: string[];
  restart?: string;
  stop_signal?: NodeJS.Signals;
  healthcheck?: { test: string[] };
}

export interface Compose {
  services: Record<string, Service>;
  networks: Record<string, { internal?: boolean } | null>;
  secrets: Record<string, { file: string }>;
}

/** The file as Compose reads it: anchors merged, then variables of `env` filled in and `$` for `$$`. */
export function readCompose(env: Record<string, string> = {}): Compose {
  const fill = (found: string, name: string, otherwise: string): string => (found === '$$' ? '$' : env[name] || otherwise);
  return parse(
    readFileSync(path.join(projectFolder, 'docker-compose.yml'), 'utf8'),
    (_key, value) => (typeof value === 'string' ? value.replace(/\$(?:\$|\{(\w+):-([^}]*)\})/g, fill) : value),
    { merge: true },
  ) as Compose;
}

/** What came of a command that has ended. */
export interface Ended {
  code: number;
  printed: string;
}

interface RunOptions {
  command?: string[];
  env?: Record<string, string>;
  input?: string;
}

/** Where the services run. */
export class Machine {
  readonly root: string;
  readonly compose: Compose;
  /** What was built: a folder per stage of the Dockerfile. */
  readonly images: string;
  /** The folder of bin, lib and share that stands for the one in PostgreSQL's image. */
  readonly #postgres: string;
  readonly #network: ChildProcess;
  readonly #running = new Map<string, ChildProcess>();
  readonly #output = new Map<string, string>();
  readonly #env = new Map<string, Record<string, string>>();

  /** @param options.binDir PostgreSQL's programs, else those of npm; `images` of another machine spare building them again */
  constructor(t: TestContext, compose: Compose, { binDir, images }: { binDir?: string; images?: string } = {}) {
    this.compose = compose;
    this.root = mkdtempSync(path.join(os.tmpdir(), 'infirmary-containers-'));
    this.images = images ?? path.join(this.root, 'images');
    this.#postgres = path.dirname(path.dirname(findBinaries(binDir).postgres));
    this.#network = spawn('unshare', ['--net', 'sleep', 'infinity'], { stdio: 'inherit' });
    t.after(async () => {
      // As they wish it: a PostgreSQL that is killed leaves processes that still write.
      for (const name of [...this.#running.keys()].toReversed()) await this.stop(name);
      this.#network.kill('SIGKILL');
      rmSync(this.root, { recursive: true, force: true, maxRetries: 5 });
    });
    this.#makeSecrets();
  }

  /** As the head of docker-compose.yml says: its own lines are run. */
  #makeSecrets(): void {
    const lines = readFileSync(path.join(projectFolder, 'docker-compose.yml'), 'utf8').matchAll(/^# {3}(.*)$/gm);
    const script = [...lines].map(([, line]) => line!.replace(/ && docker compose .*/, '')).join('\n');
    execFileSync('bash', ['--norc', '-euc', script], { cwd: this.root });
  }

  /** Does what the stages of the Dockerfile say, up to those named. */
  build(...stages: string[]): void {
    for (const name of stages) {
      const folder = path.join(this.images, name);
      mkdirSync(path.join(folder, 'infirmary'), { recursive: true });
      for (const [instruction, rest] of readStage(name)) {
        const cwd = path.join(folder, 'infirmary');
        // Node is the one that runs this, and new volumes are made below.
        if (instruction === 'RUN' && !rest.startsWith('install -d')) execFileSync('sh', ['-euc', rest], { cwd, stdio: 'pipe' });
        if (instruction === 'COPY' && !rest.includes('/usr/local/bin/node')) copy(rest, this.images, cwd);
      }
    }
  }

  /** The folder of a volume, or of a file beside docker-compose.yml. */
  volume(source: string, user: string): string {
    if (source.startsWith('.')) return path.join(projectFolder, source);
    const folder = path.join(this.root, 'volumes', source);
    if (!existsSync(folder)) {
      mkdirSync(folder, { recursive: true });
      execFileSync('chown', [user, folder]);
    }
    return folder;
  }

  /** Runs a command as the service, in a container of its own, to its end. */
  async run(name: string, options: RunOptions = {}): Promise<Ended> {
    const child = this.#spawn(name, options);
    const [printed, told] = [text(child.stdout!), text(child.stderr!)];
    child.stdin?.end(options.input);
    const [code] = (await once(child, 'close')) as [number | null];
    return { code: code ?? -1, printed: (await printed) + (await told) };
  }

  /** Starts a service and waits until its own health check passes. */
  async up(name: string, env: Record<string, string> = {}): Promise<void> {
    const child = this.#spawn(name, { env });
    this.#running.set(name, child);
    this.#env.set(name, env);
    this.#output.set(name, '');
    for (const stream of [child.stdout!, child.stderr!]) {
      stream.on('data', (chunk) => this.#output.set(name, this.#output.get(name) + String(chunk)));
    }
    while ((await this.health(name)) !== 0) {
      if (child.exitCode !== null) throw new Error(`${name} ended with ${child.exitCode}:\n${this.#output.get(name)}`);
      await sleep(500);
    }
  }

  /** The exit code of the service's health check, run inside its container. */
  async health(name: string): Promise<number> {
    const [kind, ...rest] = this.compose.services[name]!.healthcheck!.test;
    return (await this.exec(name, kind === 'CMD-SHELL' ? ['sh', '-c', ...rest] : rest)).code;
  }

  /** Runs a command inside the container of a running service. */
  async exec(name: string, command: string[]): Promise<Ended> {
    const pid = String(this.#running.get(name)!.pid);
    const enter = ['--target', pid, '--mount', '--net', '--root'];
    const child = spawn('nsenter', [...enter, ...this.#asUser(name, this.#env.get(name)!), ...command], { stdio: ['ignore', 'pipe', 'pipe'] });
    const printed = Promise.all([text(child.stdout), text(child.stderr)]);
    const [code] = (await once(child, 'close')) as [number | null];
    return { code: code ?? -1, printed: (await printed).join('') };
  }

  /** Signals a service, as `docker compose stop` would, and waits for its end; returns its exit code. */
  async stop(name: string): Promise<number | null> {
    const child = this.#running.get(name)!;
    this.#running.delete(name);
    const ended = child.exitCode === null && child.signalCode === null ? once(child, 'exit') : undefined;
    child.kill(this.#stopSignal(name));
    await ended;
    return child.exitCode;
  }

  /** PostgreSQL's image asks for a fast shutdown. */
  #stopSignal(name: string): NodeJS.Signals {
    const { image, stop_signal } = this.#service(name);
    return stop_signal ?? (image.startsWith('postgres:') ? 'SIGINT' : 'SIGTERM');
  }

  /** What a service has written so far. */
  logs(name: string): string {
    return this.#output.get(name) ?? '';
  }

  #service(name: string): Service {
    return this.compose.services[name]!;
  }

  #spawn(name: string, { command, env = {}, input }: RunOptions): ChildProcess {
    const inside = [...this.#asUser(name, env), ...(command ?? this.#service(name).command)];
    const script = [...this.#mounts(name), 'exec chroot "$root" "$@"'].join('\n');
    const net = `--net=/proc/${this.#networkId()}/ns/net`;
    return spawn('nsenter', [net, 'unshare', '--mount', 'bash', '--norc', '-euc', script, 'bash', ...inside], {
      // A pipe of Node's is a socket, and bash takes one for a login from the network.
      stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    });
  }

  #networkId(): number {
    const id = this.#network.pid!;
    // Until it has left our network it is no place to go to.
    while (readlinkSync(`/proc/${id}/ns/net`) === readlinkSync('/proc/self/ns/net'));
    return id;
  }

  /** Shell lines that put the root folder together. */
  #mounts(name: string): string[] {
    const service = this.#service(name);
    const [user, group] = identityOf(service.user);
    const root = path.join(this.root, 'roots', name);
    mkdirSync(root, { recursive: true });
    const bind = (from: string, to: string, mode: 'ro' | 'rw'): string => `bind ${quote(from)} ${quote(to)} ${mode}`;
    return [
      `root=${quote(root)}`,
      'ip link set lo up',
      'mount -t tmpfs root "$root"',
      // A file is bound onto a file, a folder onto a folder.
      `bind() {
        if [ -d "$1" ]; then mkdir -p "$root$2"; else mkdir -p "$(dirname "$root$2")"; [ -e "$root$2" ] || touch "$root$2"; fi
        mount --bind "$1" "$root$2"; mount -o "remount,bind,$3" "$root$2"
      }`,
      ...['/usr', '/dev', '/dev/shm', '/dev/pts'].map((each) => bind(each, each, each === '/usr' ? 'ro' : 'rw')),
      'mkdir "$root/etc" && mount -t tmpfs etc "$root/etc" && cp -a /etc/. "$root/etc"',
      'for each in bin sbin lib lib64; do [ ! -e /$each ] || cp -d /$each "$root/$each" 2>/dev/null || bind /$each /$each ro; done',
      'mkdir "$root/proc" && mount -t proc proc "$root/proc" 2>/dev/null || mount --rbind /proc "$root/proc"',
      ...this.#files().map(([file, content]) => `printf %s ${quote(content)} >"$root/etc/${file}"`),
      'mount -t tmpfs versions "$root/usr/lib/postgresql"',
      bind(this.#postgres, '/usr/lib/postgresql/18', 'ro'),
      bind('/usr/lib/postgresql/15', '/usr/lib/postgresql/15', 'ro'),
      ...(path.dirname(process.execPath) === '/usr/bin' ? [] : [bind(path.dirname(process.execPath), '/opt/node', 'ro')]),
      ...(workingFolder(service) === '/infirmary'
        ? [bind(path.join(this.images, service.build!.target, 'infirmary'), '/infirmary', 'ro')]
        : []),
      ...(service.secrets ?? []).map((each) =>
        bind(path.join(this.root, this.compose.secrets[each]!.file), `/run/secrets/${each}`, 'ro'),
      ),
      ...(service.tmpfs ?? []).map((each) => {
        const [target, given = ''] = each.split(':') as [string, string?];
        const modes = given.includes('mode=') ? given : ['mode=1777', given].filter(Boolean).join(',');
        return `mkdir -p "$root${target}" && mount -t tmpfs -o ${modes} tmpfs "$root${target}"`;
      }),
      ...(service.volumes ?? []).map((each) => {
        const [source, target, mode = 'rw'] = each.split(':') as [string, string, ('ro' | 'rw')?];
        return bind(this.volume(source, `${user}:${group}`), target, mode);
      }),
      // What stands in the image of Adminer is a page that says nothing.
      ...(service.image.startsWith('adminer:') ? ['mkdir -p "$root/var/www/html" && touch "$root/var/www/html/index.php"'] : []),
      ...(service.read_only ? ['mount -o remount,ro "$root"', 'mount -o remount,ro "$root/etc"'] : []),
    ];
  }

  /** What a container has for itself in /etc. */
  #files(): [string, string][] {
    const users = { root: 0, adminer: 100, postgres: 999, node: 1000, nobody: 65534 };
    const lines = Object.entries(users);
    return [
      ['hosts', `127.0.0.1 localhost ${Object.keys(this.compose.services).join(' ')}\n`],
      ['passwd', lines.map(([user, id]) => `${user}:x:${id}:${id}::/tmp:/bin/sh\n`).join('')],
      ['group', lines.map(([user, id]) => `${user}:x:${id}:\n`).join('')],
    ];
  }

  #asUser(name: string, env: Record<string, string>): string[] {
    const service = this.#service(name);
    const [user, group] = identityOf(service.user);
    const { image } = service;
    const environment = {
      PATH: '/usr/lib/postgresql/18/bin:/usr/lib/postgresql/15/bin:/opt/node:/usr/local/bin:/usr/sbin:/usr/bin',
      ...(image.startsWith('postgres:') && { PGDATA: '/var/lib/postgresql/18/docker' }),
      ...(service.build && environmentOf(service.build.target)),
      ...service.environment,
      ...env,
    };
    return [
      'setpriv',
      ...[`--reuid=${user}`, `--regid=${group}`, '--clear-groups', '--inh-caps=-all'],
      ...(service.cap_drop?.includes('ALL') ? ['--bounding-set=-all'] : []),
      ...(service.security_opt?.includes('no-new-privileges:true') ? ['--no-new-privs'] : []),
      ...['env', '-i', `--chdir=${workingFolder(service)}`],
      ...Object.entries(environment).map(([key, value]) => `${key}=${value}`),
    ];
  }
}

function quote(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

function workingFolder({ build }: Service): string {
  const workdir = build && readStage(build.target).find(([instruction]) => instruction === 'WORKDIR');
  return workdir?.[1] ?? '/';
}

function identityOf(user: string): [user: string, group: string] {
  const ids: Record<string, string> = { postgres: '999', adminer: '100' };
  const [id = '', group = id] = user.split(':').map((each) => ids[each] ?? each);
  return [id, group];
}

/** The instructions of one stage of the Dockerfile. */
function readStage(name: string): [instruction: string, rest: string][] {
  const source = readFileSync(path.join(projectFolder, 'Dockerfile'), 'utf8');
  const lines = source.replace(/^#.*\n/gm, '').replaceAll('\\\n', '').split('\n').filter(Boolean);
  const instructions = lines.map((line) => /^(\w+) +(.*)$/.exec(line)!.slice(1) as [string, string]);
  const begin = instructions.findIndex(([each, rest]) => each === 'FROM' && rest.endsWith(` AS ${name}`));
  if (begin < 0) throw new Error(`The Dockerfile has no stage ${name}.`);
  const length = instructions.slice(begin + 1).findIndex(([each]) => each === 'FROM');
  return length < 0 ? instructions.slice(begin + 1) : instructions.slice(begin + 1, begin + 1 + length);
}

function environmentOf(stage: string): Record<string, string> {
  const words = readStage(stage).flatMap(([instruction, rest]) => (instruction === 'ENV' ? rest.split(/ +/) : []));
  return Object.fromEntries(words.map((word) => word.split('=') as [string, string]));
}

/** COPY, from the project or another stage; of the project only what .dockerignore lets through. */
function copy(rest: string, images: string, into: string): void {
  const words = rest.split(/ +/);
  const stage = /^--from=(.*)$/.exec(words[0]!)?.[1];
  const target = words.at(-1)!;
  for (const source of words.slice(stage ? 1 : 0, -1)) {
    if (!stage && !allowed().some((each) => source === each || source.startsWith(`${each}/`))) {
      throw new Error(`.dockerignore keeps ${source} out.`);
    }
    const to = path.join(into, target.endsWith('/') ? path.join(target, path.basename(source)) : target);
    // Of thousands of files a second name is enough.
    if (stage) execFileSync('cp', ['-al', path.join(images, stage, source), to]);
    else cpSync(path.join(projectFolder, source), to, { recursive: true });
  }
}

function allowed(): string[] {
  const lines = readFileSync(path.join(projectFolder, '.dockerignore'), 'utf8').split('\n');
  if (!lines.includes('*')) throw new Error('.dockerignore lets through what nobody named.');
  return lines.filter((line) => line.startsWith('!')).map((line) => line.slice(1));
}
