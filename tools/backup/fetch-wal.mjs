// PostgreSQL's restore_command: asks the command that restores (wal-server.ts) for a file of the log and writes it
// where the server wants it. Plain JavaScript, since it runs once a file and as the server's account.
import { readFileSync, writeFileSync } from 'node:fs';
import http from 'node:http';

const [address, name, target] = process.argv.slice(2);

// Above 125 PostgreSQL gives up, instead of taking the log to end here.
const giveUp = 200;

const { port, token } = JSON.parse(readFileSync(address, 'utf8'));
http
  .get({ host: '127.0.0.1', port, path: `/${token}/${name}` }, (answer) => {
    const pieces = [];
    answer.on('data', (piece) => pieces.push(piece));
    answer.on('end', () => {
      if (answer.statusCode === 404) process.exit(1);
      const bytes = Buffer.concat(pieces);
      if (answer.statusCode !== 200 || bytes.length !== Number(answer.headers['content-length'])) process.exit(giveUp);
      writeFileSync(target, bytes);
    });
    answer.on('error', () => process.exit(giveUp));
  })
  .on('error', () => process.exit(giveUp));
