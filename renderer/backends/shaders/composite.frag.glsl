// A picture over a background that is not the scene's own; see renderer/compositing.py.

uniform sampler2D light;       // sum of weights times colours, and alpha
uniform vec3 background;
uniform vec3 own_background;   // which the scene was made for
out vec4 color;

void main() {
    vec4 seen = texelFetch(light, ivec2(gl_FragCoord.xy), 0);
    float cover = min(1.0, max(seen.a, OPEN_ALPHA + (seen.a - OPEN_ALPHA) * SLOPE));
    color = vec4(seen.rgb + (cover - seen.a) * own_background + (1.0 - cover) * background, 1.0);
}
