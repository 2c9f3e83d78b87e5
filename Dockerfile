FROM node:24-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY tsconfig.json tsconfig.build.json ./
COPY src ./src
RUN npx tsc -p tsconfig.build.json && npm ci --omit=dev

FROM node:24-slim
WORKDIR /app
# The only directory written to: everything else works with a read-only root.
RUN install -d -o 10001 -g 10001 -m 0700 data/audit
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY package.json ./
COPY config/default.json ./config/

USER 10001:10001
VOLUME ["/app/data/audit"]
# In MB: room for 60 000 users at once, and less garbage kept beside them than Node.js allows itself on a large machine.
ENV NODE_OPTIONS="--max-old-space-size=1024"
# Probes come from outside the container.
ENV ADMIN_HOST=0.0.0.0
EXPOSE 8080 9090
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.ADMIN_PORT || 9090}/livez`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
# In exec form, so that SIGTERM reaches the service itself.
CMD ["node", "dist/main.js"]
