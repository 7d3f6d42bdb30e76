// The points and regions of the map, drawn by WebGL 2. A document lies on the disc of
// its landmark; where landmarks are, before and after, is in a small texture, so that
// moving the map or its landmarks costs nothing per point.

const side = 128 // of the texture of landmarks: 16,384 of them
export const maxLandmarks = side * side

const pointVertex = `#version 300 es
precision highp float;
layout(location=0) in vec2 offset;
layout(location=1) in float slot;
layout(location=2) in vec3 facts; // age from 0 to 1, similarity, when it arrived in seconds
uniform sampler2D landmarks;
uniform vec4 view; // scale x, y, shift x, y
uniform float now, size, mixing, mode, chosen;
uniform vec2 span;
uniform vec3 low, high;
uniform float light;
out vec4 tint;
vec3 hsl(float h, float s, float l) {
  vec3 k = mod(vec3(0., 8., 4.) + h / 30., 12.);
  return l - s * min(l, 1. - l) * clamp(min(k - 3., 9. - k), -1., 1.);
}
void main() {
  ivec2 at = ivec2(int(slot) % ${side}, int(slot) / ${side});
  vec4 a = texelFetch(landmarks, at, 0);
  vec4 b = texelFetch(landmarks, at + ivec2(0, ${side}), 0);
  vec3 l = mix(a.xyz, b.xyz, mixing);
  gl_Position = vec4((l.xy + offset * l.z * 0.94) * view.xy + view.zw, 0., 1.);
  float cluster = b.w;
  float fresh = exp(-max(0., now - facts.z) * 0.9);
  bool outside = facts.x < span.x || facts.x > span.y;
  if (slot < 0. || b.z == 0.) { gl_Position = vec4(2., 2., 0., 1.); }
  vec3 c = mode < 0.5 ? hsl(mod(cluster * 137.508 + 200., 360.), 0.7, light)
    : mix(low, high, mode < 1.5 ? facts.x : smoothstep(0.2, 1., facts.y));
  float company = smoothstep(1.5, 6., a.w);
  if (mode < 0.5) c = mix(vec3(light > 0.55 ? 0.42 : 0.6), c, 0.25 + 0.75 * company);
  float alpha = outside ? 0.06 : (chosen > 0. && cluster != chosen) ? 0.16 : mix(0.5, 0.9, company);
  tint = vec4(mix(c, light > 0.55 ? vec3(1.) : vec3(0.05), fresh * 0.6), min(1., alpha + fresh * 0.5));
  gl_PointSize = size * mix(0.7, 1., company) * (1. + 3.2 * fresh);
}`

const pointFragment = `#version 300 es
precision mediump float;
in vec4 tint;
out vec4 colour;
void main() {
  float d = length(gl_PointCoord - 0.5) * 2.;
  float a = 1. - smoothstep(0.65, 1., d);
  colour = vec4(tint.rgb * tint.a * a, tint.a * a);
}`

const regionVertex = `#version 300 es
precision highp float;
uniform sampler2D landmarks;
uniform vec4 view;
uniform float mixing, chosen, light;
out vec2 corner;
out vec4 tint;
vec3 hsl(float h, float s, float l) {
  vec3 k = mod(vec3(0., 8., 4.) + h / 30., 12.);
  return l - s * min(l, 1. - l) * clamp(min(k - 3., 9. - k), -1., 1.);
}
void main() {
  int slot = gl_VertexID / 6, which = gl_VertexID % 6;
  corner = vec2[6](vec2(-1,-1), vec2(1,-1), vec2(-1,1), vec2(-1,1), vec2(1,-1), vec2(1,1))[which];
  ivec2 at = ivec2(slot % ${side}, slot / ${side});
  vec4 b = texelFetch(landmarks, at + ivec2(0, ${side}), 0);
  vec4 a = texelFetch(landmarks, at, 0);
  vec3 l = mix(a.xyz, b.xyz, mixing);
  float company = smoothstep(2., 10., a.w);
  gl_Position = vec4((l.xy + corner * (l.z * 1.3 + 0.4 + 1.6 * company)) * view.xy + view.zw, 0., 1.);
  float strength = mix(0.03, 0.24, company);
  tint = vec4(hsl(mod(b.w * 137.508 + 200., 360.), 0.62, light), chosen > 0. && b.w != chosen ? strength * 0.35 : chosen > 0. ? 0.42 : strength);
}`

const regionFragment = `#version 300 es
precision mediump float;
in vec2 corner;
in vec4 tint;
out vec4 colour;
void main() {
  float a = tint.a * (1. - smoothstep(0.62, 1., length(corner)));
  colour = vec4(tint.rgb * a, a);
}`

function program(gl: WebGL2RenderingContext, vertex: string, fragment: string): WebGLProgram {
  const p = gl.createProgram()!
  for (const [type, source] of [[gl.VERTEX_SHADER, vertex], [gl.FRAGMENT_SHADER, fragment]] as const) {
    const shader = gl.createShader(type)!
    gl.shaderSource(shader, source)
    gl.compileShader(shader)
    gl.attachShader(p, shader)
  }
  gl.linkProgram(p)
  if (!gl.getProgramParameter(p, gl.LINK_STATUS)) throw new Error('shader: ' + gl.getProgramInfoLog(p))
  return p
}

export interface Scene {
  view: [number, number, number, number]
  now: number; size: number; mixing: number; mode: number; chosen: number
  span: [number, number]; dark: boolean; slots: number; points: number
}

const floats = 6 // of a point

export class Drawing {
  private gl: WebGL2RenderingContext
  private points: WebGLProgram
  private regions: WebGLProgram
  private buffer: WebGLBuffer
  private vao: WebGLVertexArrayObject
  private none: WebGLVertexArrayObject
  private room = 0

  // The caller shows a text instead where this throws.
  constructor(private canvas: HTMLCanvasElement) {
    const gl = canvas.getContext('webgl2', { antialias: false, premultipliedAlpha: true, preserveDrawingBuffer: true })
    if (!gl) throw new Error('This browser has no WebGL 2.')
    this.gl = gl
    this.points = program(gl, pointVertex, pointFragment)
    this.regions = program(gl, regionVertex, regionFragment)
    const texture = gl.createTexture()
    gl.bindTexture(gl.TEXTURE_2D, texture)
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA32F, side, 2 * side, 0, gl.RGBA, gl.FLOAT, null)
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.NEAREST)
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, gl.NEAREST)
    this.buffer = gl.createBuffer()!
    this.none = gl.createVertexArray()!
    this.vao = gl.createVertexArray()!
    gl.bindVertexArray(this.vao)
    gl.bindBuffer(gl.ARRAY_BUFFER, this.buffer)
    for (const [at, n, offset] of [[0, 2, 0], [1, 1, 2], [2, 3, 3]]) {
      gl.enableVertexAttribArray(at)
      gl.vertexAttribPointer(at, n, gl.FLOAT, false, 4 * floats, 4 * offset)
    }
    gl.enable(gl.BLEND)
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA)
  }

  // x, y and radius of each landmark, before and after, then the size of its cluster and
  // its id.
  landmarks(before: Float32Array, after: Float32Array) {
    const gl = this.gl
    gl.texSubImage2D(gl.TEXTURE_2D, 0, 0, 0, side, side, gl.RGBA, gl.FLOAT, before)
    gl.texSubImage2D(gl.TEXTURE_2D, 0, 0, side, side, side, gl.RGBA, gl.FLOAT, after)
  }

  // Six numbers a point; those from first on have changed.
  upload(data: Float32Array, first: number, n: number) {
    const gl = this.gl
    gl.bindBuffer(gl.ARRAY_BUFFER, this.buffer)
    if (data.length > this.room) {
      this.room = data.length
      gl.bufferData(gl.ARRAY_BUFFER, data, gl.DYNAMIC_DRAW)
      return
    }
    gl.bufferSubData(gl.ARRAY_BUFFER, first * floats * 4, data, first * floats, (n - first) * floats)
  }

  draw(s: Scene) {
    const gl = this.gl
    gl.viewport(0, 0, this.canvas.width, this.canvas.height)
    gl.clearColor(0, 0, 0, 0)
    gl.clear(gl.COLOR_BUFFER_BIT)
    for (const [p, vao] of [[this.regions, this.none], [this.points, this.vao]]) {
      gl.useProgram(p)
      gl.bindVertexArray(vao)
      const at = (name: string) => gl.getUniformLocation(p, name)
      gl.uniform4fv(at('view'), s.view)
      gl.uniform1f(at('mixing'), s.mixing)
      gl.uniform1f(at('chosen'), s.chosen)
      gl.uniform1f(at('light'), s.dark ? 0.66 : 0.45)
      if (p === this.regions) {
        gl.drawArrays(gl.TRIANGLES, 0, 6 * s.slots)
        continue
      }
      gl.uniform1f(at('now'), s.now)
      gl.uniform1f(at('size'), s.size)
      gl.uniform1f(at('mode'), s.mode)
      gl.uniform2fv(at('span'), s.span)
      gl.uniform3fv(at('low'), s.dark ? [0.28, 0.32, 0.62] : [0.72, 0.76, 0.88])
      gl.uniform3fv(at('high'), s.dark ? [1.0, 0.78, 0.36] : [0.78, 0.22, 0.1])
      gl.drawArrays(gl.POINTS, 0, s.points)
    }
  }
}
