// Four vertices per splat: projects a Gaussian (EWA) and spans the quad that just holds what is
// seen of it. The mathematics is gsplat 1.5's (ProjectionEWA3DGSFused.cu, persp_proj, add_blur).
// DILATION_PX2 and ALPHA_MIN are put in front of this text from renderer/settings.py.

uniform samplerBuffer means;      // xyz, world
uniform samplerBuffer quats;      // wxyz, any length > 0
uniform samplerBuffer scales;     // standard deviations, world
uniform samplerBuffer opacities;  // 0..1
uniform samplerBuffer colors;     // rgb
uniform usamplerBuffer order;     // index of the Gaussian to draw, farthest first

uniform int count;                // valid entries of `order`
uniform int splats_per_instance;
uniform mat3 rotation;            // world to camera
uniform vec3 translation;
uniform vec2 focal_px;
uniform vec2 center_px;           // principal point
uniform vec2 size_px;             // of the picture

out vec2 sigmas;                  // place in the splat in standard deviations
flat out vec4 color;              // rgb, opacity

mat3 rotation_of(vec4 q) {
    q = normalize(q);
    float w = q.x, x = q.y, y = q.z, z = q.w;
    return mat3(  // column by column
        1.0 - 2.0 * (y * y + z * z), 2.0 * (x * y + w * z), 2.0 * (x * z - w * y),
        2.0 * (x * y - w * z), 1.0 - 2.0 * (x * x + z * z), 2.0 * (y * z + w * x),
        2.0 * (x * z + w * y), 2.0 * (y * z - w * x), 1.0 - 2.0 * (x * x + y * y));
}

// Covariance on the picture (xx, xy, yy) in px^2, before the dilation: J R q s s^T q^T R^T J^T.
vec3 projected_covariance(int index, vec3 mean) {
    vec3 scale = texelFetch(scales, index).xyz;
    mat3 axes = rotation * rotation_of(texelFetch(quats, index));
    axes = mat3(axes[0] * scale.x, axes[1] * scale.y, axes[2] * scale.z);
    // The Jacobian is taken no farther outside the picture than 15 % of its size.
    vec2 margin = 0.15 * size_px / focal_px;
    vec2 lowest = -center_px / focal_px - margin;
    vec2 highest = (size_px - center_px) / focal_px + margin;
    vec2 slope = clamp(mean.xy / mean.z, lowest, highest);
    vec3 x = vec3(focal_px.x, 0.0, -focal_px.x * slope.x) / mean.z * axes;  // rows of J times axes
    vec3 y = vec3(0.0, focal_px.y, -focal_px.y * slope.y) / mean.z * axes;
    return vec3(dot(x, x), dot(x, y), dot(y, y));
}

void main() {
    gl_Position = vec4(2.0, 2.0, 2.0, 1.0);  // all corners outside: nothing is drawn
    sigmas = vec2(0.0);
    color = vec4(0.0);
    int splat = gl_InstanceID * splats_per_instance + (gl_VertexID >> 2);
    if (splat >= count) return;

    int index = int(texelFetch(order, splat).r);
    vec3 mean = rotation * texelFetch(means, index).xyz + translation;
    vec3 sharp = projected_covariance(index, mean);
    vec3 cov = sharp + vec3(DILATION_PX2, 0.0, DILATION_PX2);
    float det = cov.x * cov.z - cov.y * cov.y;
    float compensation = sqrt(max(0.0, (sharp.x * sharp.z - sharp.y * sharp.y) / det));
    float opacity = texelFetch(opacities, index).r * compensation;
    bool visible = det > 0.0 && det < 1e37 && opacity > ALPHA_MIN;  // false where one is NaN
    if (!visible) return;

    // The quad is the image of a square under the Cholesky factor of the covariance, so `sigmas`
    // needs no inverse; it ends where alpha falls below ALPHA_MIN.
    vec2 corner = vec2(gl_VertexID & 1, (gl_VertexID >> 1) & 1) * 2.0 - 1.0;
    sigmas = sqrt(2.0 * log(opacity / ALPHA_MIN)) * corner;
    float xx = sqrt(cov.x);
    vec2 offset_px = vec2(xx * sigmas.x, (cov.y * sigmas.x + sqrt(det) * sigmas.y) / xx);
    vec2 mean_px = focal_px * mean.xy / mean.z + center_px;
    gl_Position = vec4((mean_px + offset_px) / size_px * 2.0 - 1.0, 0.0, 1.0);
    color = vec4(texelFetch(colors, index).rgb, opacity);
}
