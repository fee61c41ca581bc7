// One triangle that covers the viewport; `place` is 0..1 from the top left of what is shown.

uniform bool flip;  // draw the picture's top row at the bottom
out vec2 place;

void main() {
    vec2 corner = vec2((gl_VertexID << 1) & 2, gl_VertexID & 2);  // (0,0) (2,0) (0,2)
    place = flip ? corner : vec2(corner.x, 1.0 - corner.y);
    gl_Position = vec4(corner * 2.0 - 1.0, 0.0, 1.0);
}
