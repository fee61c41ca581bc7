// Four vertices per splat: projects a Gaussian (EWA) and spans the smallest quad that holds all
// pixels where its alpha is at least ALPHA_MIN. The mathematics is that of backends/reference.py.
// The constants in capitals are put in front of this text by backends/opengl_program.py.

uniform samplerBuffer means;      // xyz, world
uniform samplerBuffer quats;      // wxyz, any length > 0
uniform samplerBuffer scales;     // standard deviations, world
uniform samplerBuffer opacities;  // 0..1
uniform samplerBuffer colors;     // rgb
uniform samplerBuffer sh;         // rgb coefficients, sh_size texels for each Gaussian
uniform usamplerBuffer order;     // index of the Gaussian to draw, farthest first

uniform int count;                // valid entries of `order`
uniform int splats_per_instance;
uniform int sh_size;              // coefficients of each Gaussian; 0 where `colors` are drawn
uniform bool depth_as_color;      // draw the depth in place of the colour
uniform vec3 eye;                 // position of the camera, world
uniform mat3 rotation;            // world to camera
uniform vec3 translation;
uniform vec2 focal_px;
uniform vec2 center_px;           // principal point
uniform vec2 size_px;             // of the picture

out vec2 sigmas;                  // offset from the splat's centre in standard deviations
flat out vec4 color;              // rgb, opacity

mat3 rotation_of(vec4 q) {
    q = normalize(q);
    float w = q.x, x = q.y, y = q.z, z = q.w;
    return mat3(  // column by column
        1.0 - 2.0 * (y * y + z * z), 2.0 * (x * y + w * z), 2.0 * (x * z - w * y),
        2.0 * (x * y - w * z), 1.0 - 2.0 * (x * x + z * z), 2.0 * (y * z + w * x),
        2.0 * (x * z + w * y), 2.0 * (y * z - w * x), 1.0 - 2.0 * (x * x + y * y));
}

// Covariance on the picture (xx, xy, yy) in px^2 before the dilation, J R q s s^T q^T R^T J^T, then
// its determinant. As a squared cross product that has no cancellation, so needles are not lost.
vec4 projected_covariance(int index, vec3 mean) {
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
    vec3 normal = cross(x, y);
    return vec4(dot(x, x), dot(x, y), dot(y, y), dot(normal, normal));
}

vec3 coefficient(int index, int k) {
    return texelFetch(sh, index * sh_size + k).rgb;
}

// The colour seen in the direction of view; the basis is that of renderer/spherical_harmonics.py.
vec3 seen_color(int index) {
    vec3 color = 0.5 + SH_C0 * coefficient(index, 0);
    vec3 d = normalize(texelFetch(means, index).xyz - eye);
    if (sh_size > 1) {
        color += SH_C1 * (d.z * coefficient(index, 2) - d.y * coefficient(index, 1)
                          - d.x * coefficient(index, 3));
    }
    if (sh_size > 4) {
        color += SH_C2_0 * (d.x * d.y * coefficient(index, 4) - d.y * d.z * coefficient(index, 5)
                            - d.x * d.z * coefficient(index, 7))
               + SH_C2_1 * (3.0 * d.z * d.z - 1.0) * coefficient(index, 6)
               + SH_C2_2 * (d.x * d.x - d.y * d.y) * coefficient(index, 8);
    }
    if (sh_size > 9) {
        float xx = d.x * d.x, yy = d.y * d.y, zz = d.z * d.z;
        color += SH_C3_1 * d.x * d.y * d.z * coefficient(index, 10)
               - SH_C3_0 * (d.y * (3.0 * xx - yy) * coefficient(index, 9)
                            + d.x * (xx - 3.0 * yy) * coefficient(index, 15))
               - SH_C3_2 * (5.0 * zz - 1.0) * (d.y * coefficient(index, 11)
                                               + d.x * coefficient(index, 13))
               + SH_C3_3 * d.z * (5.0 * zz - 3.0) * coefficient(index, 12)
               + SH_C3_4 * d.z * (xx - yy) * coefficient(index, 14);
    }
    return max(color, 0.0);
}

void main() {
    gl_Position = vec4(2.0, 2.0, 2.0, 1.0);  // all corners outside: nothing is drawn
    sigmas = vec2(0.0);
    color = vec4(0.0);
    int splat = gl_InstanceID * splats_per_instance + (gl_VertexID >> 2);
    if (splat >= count) return;

    int index = int(texelFetch(order, splat).r);
    vec3 mean = rotation * texelFetch(means, index).xyz + translation;
    vec4 sharp = projected_covariance(index, mean);
    vec3 cov = sharp.xyz + vec3(DILATION_PX2, 0.0, DILATION_PX2);
    float det = sharp.w + DILATION_PX2 * (sharp.x + sharp.z) + DILATION_PX2 * DILATION_PX2;
    float opacity = texelFetch(opacities, index).r * sqrt(sharp.w / det);
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
    if (depth_as_color) {
        color = vec4(vec3(mean.z), opacity);
    } else if (sh_size == 0) {
        color = vec4(texelFetch(colors, index).rgb, opacity);
    } else {
        color = vec4(seen_color(index), opacity);
    }
}
