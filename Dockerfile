# Small: Node 24 comes with the image, so the copies of Node and PostgreSQL that npm would bring stay out.
FROM node:24.21.0-bookworm-slim
ENV NODE_ENV=production INFIRMARY_HOME=/var/lib/infirmary
WORKDIR /infirmary
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --omit=optional --ignore-scripts && npm cache clean --force
COPY .gmrc ./
COPY migrations/committed migrations/committed
COPY tools tools
RUN install -d -o node -g node -m 0700 /var/lib/infirmary
USER node
EXPOSE 5678
CMD ["node", "tools/cli.ts", "serve"]
