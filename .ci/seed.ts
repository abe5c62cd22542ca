import { seed, small } from '../tools/seed/index.ts';

/* Fills CHECK_OWNER_URL with a small hospital. */
await seed(process.env.CHECK_OWNER_URL!, small);
