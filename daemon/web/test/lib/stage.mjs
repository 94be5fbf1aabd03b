// A demo that a test talks to: the daemon with its local chain, started on free ports and ended with the test run.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT, daemon } from './places.mjs';
import { PATIENCE, until } from './wait.mjs';

/** Lines of a program's output that a failed test shows. */
const LINES = 40;

/** All that run, so that none outlives the run. */
const running = new Set();

/** A program with its output. */
class Program {
  constructor(args, env) {
    this.lines = [];
    this.child = spawn(daemon(), args, {
      cwd: ROOT,
      env: { ...process.env, RUST_BACKTRACE: '0', NO_COLOR: '1', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      // A group of its own: its local chain ends with it.
      detached: true,
    });
    for (const stream of [this.child.stdout, this.child.stderr]) {
      let rest = '';
      stream.setEncoding('utf8');
      stream.on('data', (text) => {
        const lines = (rest + text).split('\n');
        rest = lines.pop();
        this.lines.push(...lines);
        if (this.lines.length > 5000) this.lines.splice(0, 1000);
      });
    }
    this.ended = new Promise((resolve) => {
      this.child.on('error', (error) => {
        this.lines.push(String(error));
        resolve(-1);
      });
      this.child.on('exit', (code, signal) => resolve(code ?? signal));
    });
    this.ended.then((how) => (this.how = how));
    running.add(this);
  }

  tail() {
    return this.lines.slice(-LINES).join('\n');
  }

  /** The first match in a line of its output. */
  async says(pattern) {
    return until(`a line ${pattern} of the daemon`, () => {
      for (const line of this.lines) {
        const found = line.match(pattern);
        if (found) return found;
      }
      if (this.how !== undefined) throw new Error(`it ended with ${this.how}:\n${this.tail()}`);
    }).catch((error) => {
      throw new Error(`${error.message}\n${this.tail()}`, { cause: error.cause });
    });
  }

  signal(name) {
    try {
      process.kill(-this.child.pid, name);
    } catch {
      // It is gone already.
    }
  }

  async stop() {
    running.delete(this);
    if (this.how !== undefined) return;
    this.signal('SIGTERM');
    const patience = setTimeout(() => this.signal('SIGKILL'), 15_000);
    await this.ended;
    clearTimeout(patience);
    this.signal('SIGKILL');
  }
}

process.on('exit', () => {
  for (const program of running) program.signal('SIGKILL');
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => process.exit(1));

/** A demo with everything: boards, markets, a guarded vault and the operator's console. */
export class Stage {
  /** Starts `zugzwang demo-web` in a folder of its own. */
  static async start(args = []) {
    const stage = new Stage();
    stage.dir = mkdtempSync(join(tmpdir(), 'zugzwang-web-'));
    stage.args = args;
    await stage.begin();
    return stage;
  }

  async begin() {
    this.program = new Program(['--json', 'demo-web', '--port', '0', '--chess', 'models/chess-s', '--dir', join(this.dir, 'demo'), ...this.args]);
    const [line] = await this.program.says(/^\{.*"address".*\}$/);
    /** Where everything is: address, console, rpc, arena, markets, vault, dir, daemon. */
    this.ready = JSON.parse(line);
    this.url = new URL(this.ready.address).origin;
    this.rpc = this.ready.rpc;
    this.token = new URLSearchParams(new URL(this.ready.console).hash.slice(1)).get('token');
  }

  /** What `GET path` gives, as JSON. */
  async get(path, headers = {}) {
    const response = await fetch(`${this.url}${path}`, { headers, signal: AbortSignal.timeout(PATIENCE) });
    if (!response.ok) throw new Error(`GET ${path}: ${response.status} ${await response.text()}`);
    return response.json();
  }

  /** `/api/v1/operator` + path, as JSON. */
  operator(path) {
    return this.get(`/api/v1/operator${path}`, { authorization: `Bearer ${this.token}` });
  }

  /** The daemon's process, as the daemon itself tells it. It changes when the demo starts it again. */
  async daemonPid() {
    const file = join(this.ready.dir, 'zugzwang.31337.http');
    return JSON.parse(readFileSync(file, 'utf8')).pid;
  }

  /** Last lines of the demo and of its daemon. */
  tail() {
    let log = '';
    try {
      log = readFileSync(join(this.ready?.dir ?? this.dir, 'daemon.log'), 'utf8').trimEnd().split('\n').slice(-LINES).join('\n');
    } catch {
      // It has written nothing.
    }
    return `${this.program.tail()}\n${log}`;
  }

  async stop() {
    await this.program.stop();
    rmSync(this.dir, { recursive: true, force: true });
  }
}

/** @type {Promise<Stage> | undefined} */
let shared;

/** The one demo that most scenarios share. It is started by the first that asks for it. */
export function sharedStage() {
  shared ??= Stage.start();
  return shared;
}

/** Ends the shared demo and whatever else runs. */
export async function closeStages() {
  const stage = await shared?.catch(() => undefined);
  await stage?.stop();
  await Promise.all([...running].map((program) => program.stop()));
}
