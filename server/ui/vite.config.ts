import { defineConfig } from 'vite'

// Everything is in files of its own: the server's policy allows nothing inline.
export default defineConfig({
  build: { outDir: 'dist', emptyOutDir: true, assetsInlineLimit: 0, modulePreload: false, target: 'es2022' },
  server: { proxy: { '/api': 'http://127.0.0.1:8787' } },
})
