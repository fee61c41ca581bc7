// Premultiplied colour of one splat at one pixel; blended "over" what lies behind it.

in vec2 sigmas;
flat in vec4 color;
out vec4 premultiplied;

void main() {
    float alpha = min(ALPHA_MAX, color.a * exp(-0.5 * dot(sigmas, sigmas)));
    if (alpha < ALPHA_MIN) discard;
    premultiplied = vec4(color.rgb * alpha, alpha);
}
