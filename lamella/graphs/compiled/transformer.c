/* Transformers with int8 products: an encoder and a step of its decoder; an encoder that fills masks. Pre-norm, ReLU, tied table.

   It computes what the graphs `encode`, `step` and `fill` compute, with the same weights and the same rounding: a row of
   activations is rounded with a scale of its own (128 is zero), products are of whole numbers, so that the answer to a
   sentence does not depend on those beside it. What onnxruntime runs as 600 operators is a few loops here; keys and values
   stay where they were written, and hypotheses only say where theirs lie (`path`).

   Every size was checked by the caller (in Python); ids and paths are checked here, since they come with each call.
   Needs AVX-512 with VNNI: `able` says whether the processor has it. */

#include <immintrin.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define SIMD __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,fma")))
#define INLINE SIMD static inline __attribute__((always_inline))
#define LANES 16           /* numbers of a register */
#define GROUP 4            /* registers of columns that are multiplied at once */
#define ROWS 4             /* rows that are multiplied at once: compilers keep 4 x 4 sums in registers, and spill 5 x 4 */
#define TOKENS 256         /* of sentences that go through a layer together: what lies between stays in the cache */
#define FED 32             /* rows that go through a feed-forward layer together: their inner numbers stay in the cache too */
#define SCORED 16          /* hypotheses whose scores are held at once */
#define EPSILON 1e-5f
#define LEAST 1e-12f       /* the largest of a row is taken to be at least this */
#define NEVER -1e4f        /* the score of a piece that is no candidate of its sentence */

enum { OK, NO_MEMORY, OUT_OF_RANGE };

typedef struct {           /* weights (in, out), packed: blocks of 16 columns, of each 4 rows at a time */
    int in, out;           /* in: a multiple of 4 */
    int8_t *packed;        /* (out / 16 rounded up, in / 4, 16, 4) */
    float *scale, *bias;   /* (out,), bias of zeros where there is none */
    int32_t *zero;         /* (out,): 128 times the sum of each column */
} Matrix;

typedef struct { const float *weight, *bias; } Norm;

typedef struct {
    Norm norm_attention, norm_cross, norm_feed;
    Matrix joint, out, query, cross_out, up, down;  /* query and cross_out: of the decoder */
} Layer;

typedef struct {
    int width, heads, inner, pieces, longest, encoders, decoders;
    const int8_t *table, *places;                   /* (pieces, width); (longest, width), of the decoder */
    const float *table_scale, *places_scale, *positions;  /* positions (longest, width): of the encoder */
    float factor;                                   /* of what is looked up */
    Layer *layers;                                  /* the encoder's, then the decoder's */
    Matrix *key_value;                              /* of each layer of the decoder */
    Norm norm_encoder, norm_decoder;
} Net;

int able(void) {
    __builtin_cpu_init();
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("fma");
}

static void *aligned(size_t size) { return aligned_alloc(64, (size + 127) / 64 * 64); }

/* ---- products ------------------------------------------------------------------------------------------------- */

/* Weights are packed as blocks of 16 outputs, of each 4 inputs at a time. zero (n,): 128 times the sum of each output's weights. */

size_t packed_size(int n, int in) { return (size_t)(n + LANES - 1) / LANES * (in / 4) * 64; }

/* Those rows of a table (N, in) that ids (n,) name. */
SIMD void pack_rows(const int8_t *rows, const int64_t *ids, int n, int in, int8_t *packed, int32_t *zero) {
    const __m512i ones = _mm512_set1_epi8(1);
    for (int block = 0; block * LANES < n; block++) {
        const int8_t *from[LANES];
        const int some = n - block * LANES < LANES ? n - block * LANES : LANES;
        for (int j = 0; j < LANES; j++) from[j] = rows + ids[block * LANES + (j < some ? j : 0)] * in;
        __m512i sums = _mm512_setzero_si512();
        for (int k = 0; k < in / 4; k++) {
            int32_t four[LANES] __attribute__((aligned(64)));
            for (int j = 0; j < LANES; j++) memcpy(&four[j], from[j] + 4 * k, 4);
            const __m512i v = _mm512_load_si512(four);
            _mm512_store_si512(packed + ((size_t)block * (in / 4) + k) * 64, v);
            sums = _mm512_dpbusd_epi32(sums, ones, v);
        }
        _mm512_mask_storeu_epi32(zero + block * LANES, (__mmask16)((1 << some) - 1), _mm512_slli_epi32(sums, 7));
    }
}

/* Weights (in, n). */
SIMD void pack_columns(const int8_t *weights, int n, int in, int8_t *packed, int32_t *zero) {
    const __m512i ones = _mm512_set1_epi8(1);
    for (int block = 0; block * LANES < n; block++) {
        const int some = n - block * LANES < LANES ? n - block * LANES : LANES;
        __m512i sums = _mm512_setzero_si512();
        for (int k = 0; k < in / 4; k++) {
            const int8_t *at = weights + (size_t)(4 * k) * n + block * LANES;
            __m128i one[4], pair[4];
            for (int i = 0; i < 4; i++) one[i] = _mm_maskz_loadu_epi8((__mmask16)((1 << some) - 1), at + (size_t)i * n);
            for (int i = 0; i < 2; i++) {
                pair[i] = _mm_unpacklo_epi8(one[2 * i], one[2 * i + 1]);
                pair[2 + i] = _mm_unpackhi_epi8(one[2 * i], one[2 * i + 1]);
            }
            int8_t four[64] __attribute__((aligned(64)));
            for (int i = 0; i < 2; i++) {
                _mm_store_si128((__m128i *)four + 2 * i, _mm_unpacklo_epi16(pair[2 * i], pair[2 * i + 1]));
                _mm_store_si128((__m128i *)four + 2 * i + 1, _mm_unpackhi_epi16(pair[2 * i], pair[2 * i + 1]));
            }
            const __m512i v = _mm512_load_si512(four);
            _mm512_store_si512(packed + ((size_t)block * (in / 4) + k) * 64, v);
            sums = _mm512_dpbusd_epi32(sums, ones, v);
        }
        _mm512_mask_storeu_epi32(zero + block * LANES, (__mmask16)((1 << some) - 1), _mm512_slli_epi32(sums, 7));
    }
}

typedef struct {           /* what becomes of a product */
    float *out;
    int stride;            /* of rows of out, in numbers */
    int relu, add;         /* add: onto what is there */
} Into;

/* m rows of x (m, in) by `nb` blocks of columns from block `first` on. */
INLINE void tile(const int m, const int nb, const uint8_t *x, const float *xs, const Matrix *w, int first, Into into) {
    __m512i sum[ROWS][GROUP];
    const int fours = w->in / 4;
    const int8_t *at[GROUP];
    for (int j = 0; j < nb; j++) at[j] = w->packed + (size_t)(first + j) * fours * 64;
#pragma GCC unroll 4
    for (int i = 0; i < m; i++)
#pragma GCC unroll 4
        for (int j = 0; j < nb; j++) sum[i][j] = _mm512_setzero_si512();
    for (int k = 0; k < fours; k++) {
        __m512i b[GROUP];
#pragma GCC unroll 4
        for (int j = 0; j < nb; j++) b[j] = _mm512_load_si512(at[j] + (size_t)k * 64);
#pragma GCC unroll 4
        for (int i = 0; i < m; i++) {
            int32_t four;
            memcpy(&four, x + (size_t)i * w->in + 4 * k, 4);
            const __m512i a = _mm512_set1_epi32(four);
#pragma GCC unroll 4
            for (int j = 0; j < nb; j++) sum[i][j] = _mm512_dpbusd_epi32(sum[i][j], a, b[j]);
        }
    }
#pragma GCC unroll 4
    for (int j = 0; j < nb; j++) {
        const int column = (first + j) * LANES, left = w->out - column;
        const __mmask16 mask = left >= LANES ? 0xffff : (__mmask16)((1 << left) - 1);
        const __m512i zero = _mm512_maskz_loadu_epi32(mask, w->zero + column);
        const __m512 scale = _mm512_maskz_loadu_ps(mask, w->scale + column), bias = _mm512_maskz_loadu_ps(mask, w->bias + column);
#pragma GCC unroll 4
        for (int i = 0; i < m; i++) {
            float *out = into.out + (size_t)i * into.stride + column;
            __m512 v = _mm512_cvtepi32_ps(_mm512_sub_epi32(sum[i][j], zero));
            v = _mm512_fmadd_ps(v, _mm512_mul_ps(_mm512_set1_ps(xs[i]), scale), bias);
            if (into.relu) v = _mm512_max_ps(v, _mm512_setzero_ps());
            if (into.add) v = _mm512_add_ps(_mm512_maskz_loadu_ps(mask, out), v);
            _mm512_mask_storeu_ps(out, mask, v);
        }
    }
}

#define TILES(m) \
    switch (nb) { \
    case 4: tile(m, 4, x + (size_t)row * w->in, xs + row, w, first, here); break; \
    case 3: tile(m, 3, x + (size_t)row * w->in, xs + row, w, first, here); break; \
    case 2: tile(m, 2, x + (size_t)row * w->in, xs + row, w, first, here); break; \
    default: tile(m, 1, x + (size_t)row * w->in, xs + row, w, first, here); break; \
    }

/* x (rows, in), rounded with the scales xs (rows,) and 128 for zero, by w. */
SIMD static void product(const uint8_t *x, const float *xs, int rows, const Matrix *w, Into into) {
    const int blocks = (w->out + LANES - 1) / LANES;
    for (int first = 0; first < blocks; first += GROUP) {
        const int nb = blocks - first < GROUP ? blocks - first : GROUP;
        for (int row = 0; row < rows;) {
            const int m = rows - row < ROWS ? rows - row : ROWS;
            Into here = into;
            here.out += (size_t)row * into.stride;
            switch (m) {
            case 4: TILES(4) break;
            case 3: TILES(3) break;
            case 2: TILES(2) break;
            default: TILES(1) break;
            }
            row += m;
        }
    }
}

/* A row of n numbers -> bytes and their scale: the largest becomes 127, zero is 128, halves go to even numbers. */
SIMD static void round_row(const float *x, int n, uint8_t *q, float *scale) {
    __m512 most = _mm512_setzero_ps();
    for (int i = 0; i < n; i += LANES) {
        const __mmask16 mask = n - i >= LANES ? 0xffff : (__mmask16)((1 << (n - i)) - 1);
        most = _mm512_max_ps(most, _mm512_abs_ps(_mm512_maskz_loadu_ps(mask, x + i)));
    }
    float s = _mm512_reduce_max_ps(most);
    s = (s > LEAST ? s : LEAST) / 127;
    *scale = s;
    const __m512 by = _mm512_set1_ps(s);
    for (int i = 0; i < n; i += LANES) {
        const __mmask16 mask = n - i >= LANES ? 0xffff : (__mmask16)((1 << (n - i)) - 1);
        const __m512i v = _mm512_cvtps_epi32(_mm512_div_ps(_mm512_maskz_loadu_ps(mask, x + i), by));
        _mm512_mask_cvtusepi32_storeu_epi8(q + i, mask, _mm512_max_epi32(_mm512_add_epi32(v, _mm512_set1_epi32(128)), _mm512_setzero_si512()));
    }
}

/* ---- what is not a product -------------------------------------------------------------------------------------- */

/* Layer norm of a row, then rounded. */
SIMD static void norm_row(const float *x, int n, Norm norm, float *room, uint8_t *q, float *scale) {
    __m512 sum = _mm512_setzero_ps(), squares = _mm512_setzero_ps();
    for (int i = 0; i < n; i += LANES) sum = _mm512_add_ps(sum, _mm512_loadu_ps(x + i));
    const __m512 mean = _mm512_set1_ps(_mm512_reduce_add_ps(sum) / n);
    for (int i = 0; i < n; i += LANES) {
        const __m512 d = _mm512_sub_ps(_mm512_loadu_ps(x + i), mean);
        squares = _mm512_fmadd_ps(d, d, squares);
    }
    const __m512 by = _mm512_set1_ps(1 / sqrtf(_mm512_reduce_add_ps(squares) / n + EPSILON));
    for (int i = 0; i < n; i += LANES) {
        const __m512 d = _mm512_mul_ps(_mm512_sub_ps(_mm512_loadu_ps(x + i), mean), by);
        _mm512_storeu_ps(room + i, _mm512_fmadd_ps(d, _mm512_loadu_ps(norm.weight + i), _mm512_loadu_ps(norm.bias + i)));
    }
    round_row(room, n, q, scale);
}

/* exp of numbers of at most 0 (Cephes' polynomial, to 2e-7); below -87 it is 0. */
INLINE __m512 exponential(__m512 x) {
    const __mmask16 alive = _mm512_cmp_ps_mask(x, _mm512_set1_ps(-87.0f), _CMP_GE_OQ);
    const __m512 n = _mm512_roundscale_ps(_mm512_mul_ps(x, _mm512_set1_ps(1.44269504f)), _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    __m512 r = _mm512_fnmadd_ps(n, _mm512_set1_ps(0.693359375f), x);
    r = _mm512_fnmadd_ps(n, _mm512_set1_ps(-2.12194440e-4f), r);
    __m512 p = _mm512_set1_ps(1.9875691500e-4f);
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1.3981999507e-3f));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(8.3334519073e-3f));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(4.1665795894e-2f));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1.6666665459e-1f));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(5.0000001201e-1f));
    p = _mm512_add_ps(_mm512_fmadd_ps(p, _mm512_mul_ps(r, r), r), _mm512_set1_ps(1));
    return _mm512_maskz_scalef_ps(alive, p, n);
}

/* Softmax of n numbers in their place. Sums go lane by lane: what is masked at the end changes nothing. */
SIMD static void softmax(float *x, int n) {
    __m512 most = _mm512_set1_ps(-INFINITY), sum = _mm512_setzero_ps();
    for (int i = 0; i < n; i += LANES) {
        const __mmask16 mask = n - i >= LANES ? 0xffff : (__mmask16)((1 << (n - i)) - 1);
        most = _mm512_mask_max_ps(most, mask, most, _mm512_maskz_loadu_ps(mask, x + i));
    }
    const __m512 top = _mm512_set1_ps(_mm512_reduce_max_ps(most));
    for (int i = 0; i < n; i += LANES) {
        const __mmask16 mask = n - i >= LANES ? 0xffff : (__mmask16)((1 << (n - i)) - 1);
        const __m512 e = _mm512_maskz_mov_ps(mask, exponential(_mm512_sub_ps(_mm512_maskz_loadu_ps(mask, x + i), top)));
        sum = _mm512_add_ps(sum, e);
        _mm512_mask_storeu_ps(x + i, mask, e);
    }
    const __m512 by = _mm512_set1_ps(1 / _mm512_reduce_add_ps(sum));
    for (int i = 0; i < n; i += LANES) {
        const __mmask16 mask = n - i >= LANES ? 0xffff : (__mmask16)((1 << (n - i)) - 1);
        _mm512_mask_storeu_ps(x + i, mask, _mm512_mul_ps(_mm512_maskz_loadu_ps(mask, x + i), by));
    }
}

/* The same of at most 16 numbers. */
INLINE void softmax_few(float *x, int n) {
    const __mmask16 mask = n >= LANES ? 0xffff : (__mmask16)((1 << n) - 1);
    const __m512 v = _mm512_maskz_loadu_ps(mask, x);
    const __m512 top = _mm512_set1_ps(_mm512_mask_reduce_max_ps(mask, v));
    const __m512 e = _mm512_maskz_mov_ps(mask, exponential(_mm512_sub_ps(v, top)));
    _mm512_mask_storeu_ps(x, mask, _mm512_mul_ps(e, _mm512_set1_ps(1 / _mm512_reduce_add_ps(e))));
}

/* The sums of up to 16 registers, in the order in which one by itself is summed (halves, quarters, pairs, neighbours). */
INLINE __m512 sums_of(const __m512 *v, int n) {
    __m512 four[4];
    for (int g = 0; g < 4; g++) {
        if (g * 4 >= n) {
            four[g] = _mm512_setzero_ps();
            continue;
        }
        const __m512 *at = v + 4 * g;
        const __m512 a = _mm512_add_ps(_mm512_shuffle_f32x4(at[0], at[1], 0x44), _mm512_shuffle_f32x4(at[0], at[1], 0xee));
        const __m512 b = _mm512_add_ps(_mm512_shuffle_f32x4(at[2], at[3], 0x44), _mm512_shuffle_f32x4(at[2], at[3], 0xee));
        four[g] = _mm512_add_ps(_mm512_shuffle_f32x4(a, b, 0x88), _mm512_shuffle_f32x4(a, b, 0xdd));
    }
    const __m512 a = _mm512_add_ps(_mm512_shuffle_ps(four[0], four[1], 0x44), _mm512_shuffle_ps(four[0], four[1], 0xee));
    const __m512 b = _mm512_add_ps(_mm512_shuffle_ps(four[2], four[3], 0x44), _mm512_shuffle_ps(four[2], four[3], 0xee));
    const __m512 each = _mm512_add_ps(_mm512_shuffle_ps(a, b, 0x88), _mm512_shuffle_ps(a, b, 0xdd));  /* 0, 4, 8, 12, 1, 5, ... */
    return _mm512_permutexvar_ps(_mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15), each);
}

/* One query of one head (size,) over n keys and values: those `keys` point to, of which this head's begin `first` numbers on,
   and values `value` numbers behind their keys -> out (size,). */
INLINE void attend_by(const float *query, const int size, const float *const *keys, int first, int value, int n, float *room, float *out) {
    const __m512 by = _mm512_set1_ps(1 / sqrtf((float)size));
    for (int j = 0; j < n; j += LANES) {
        const int some = n - j < LANES ? n - j : LANES;
        __m512 sum[LANES];
        for (int k = 0; k < (some + 3) / 4 * 4; k++) {
            const float *key = keys[j + (k < some ? k : some - 1)] + first;
            sum[k] = _mm512_setzero_ps();
#pragma GCC unroll 4
            for (int i = 0; i < size; i += LANES) sum[k] = _mm512_fmadd_ps(_mm512_loadu_ps(query + i), _mm512_loadu_ps(key + i), sum[k]);
        }
        _mm512_storeu_ps(room + j, _mm512_mul_ps(sums_of(sum, some), by));
    }
    if (n <= LANES) softmax_few(room, n);
    else softmax(room, n);
    for (int i = 0; i < size; i += 4 * LANES) {
        const int parts = size - i < 4 * LANES ? (size - i) / LANES : 4;
        __m512 sum[4];
#pragma GCC unroll 4
        for (int p = 0; p < 4; p++) sum[p] = _mm512_setzero_ps();
        for (int j = 0; j < n; j++) {
            const float *at = keys[j] + first + value + i;
            const __m512 weight = _mm512_set1_ps(room[j]);
#pragma GCC unroll 4
            for (int p = 0; p < parts; p++) sum[p] = _mm512_fmadd_ps(weight, _mm512_loadu_ps(at + p * LANES), sum[p]);
        }
#pragma GCC unroll 4
        for (int p = 0; p < parts; p++) _mm512_storeu_ps(out + i + p * LANES, sum[p]);
    }
}

/* All heads of one query (width,) over n keys and values -> out (width,). */
SIMD static void attend(const float *query, int width, int heads, const float *const *keys, int n, float *room, float *out) {
    const int size = width / heads;
    for (int h = 0; h < heads; h++)
        if (size == 64) attend_by(query + h * size, 64, keys, h * size, width, n, room, out + h * size);
        else attend_by(query + h * size, size, keys, h * size, width, n, room, out + h * size);
}

/* The vector of a piece at a place. */
SIMD static void embed(const Net *net, int64_t piece, float *out) {
    const int8_t *row = net->table + piece * net->width;
    const float scale = net->table_scale[piece];
    for (int i = 0; i < net->width; i++) out[i] = (float)row[i] * scale * net->factor;
}

/* Room for `rows` rows: their vectors, what is made of them and its bytes. */
typedef struct {
    float *x, *joint, *mixed, *inner, *one, *scale, *weights;
    const float **keys;
    uint8_t *q;
    void *all;
} Room;

static int make_room(const Net *net, int rows, int longest, Room *room) {
    const size_t w = net->width, i = net->inner, n = rows, fed = rows < FED ? rows : FED;
    const size_t wide = i > w ? i : w;
    const size_t floats = n * (w + 3 * w + w + 1) + fed * i + wide + longest + 7 * LANES;
    room->all = aligned(floats * sizeof(float) + longest * sizeof(float *) + n * w + fed * wide + 1024);
    if (!room->all) return NO_MEMORY;
    room->keys = (const float **)room->all;
    float *at = (float *)(room->keys + longest);
    room->x = at, at += n * w;
    room->joint = at, at += 3 * n * w;
    room->mixed = at, at += n * w;
    room->inner = at, at += fed * i;
    room->one = at, at += wide;
    room->scale = at, at += n;
    room->weights = at, at += longest + LANES;  /* whole registers are written */
    room->q = (uint8_t *)at;
    return OK;
}

SIMD static void normed(const float *x, int rows, int width, Norm norm, Room *room) {
    for (int r = 0; r < rows; r++) norm_row(x + (size_t)r * width, width, norm, room->one, room->q + (size_t)r * width, room->scale + r);
}

SIMD static void rounded(const float *x, int rows, int width, Room *room) {
    for (int r = 0; r < rows; r++) round_row(x + (size_t)r * width, width, room->q + (size_t)r * width, room->scale + r);
}

SIMD static void feed(const Net *net, const Layer *layer, int rows, Room *room) {
    for (int first = 0; first < rows; first += FED) {
        const int some = rows - first < FED ? rows - first : FED;
        float *x = room->x + (size_t)first * net->width;
        normed(x, some, net->width, layer->norm_feed, room);
        product(room->q, room->scale, some, &layer->up, (Into){room->inner, net->inner, 1, 0});
        rounded(room->inner, some, net->inner, room);
        product(room->q, room->scale, some, &layer->down, (Into){x, net->width, 0, 1});
    }
}

/* ---- encoder ------------------------------------------------------------------------------------------------- */

/* Some sentences, one behind the other, look up -> how many rows they have. */
SIMD static int look_up(const Net *net, const int64_t *ids, int stride, const int64_t *lengths, int first, int last, Room *room) {
    const int w = net->width;
    int rows = 0;
    for (int b = first; b < last; b++)
        for (int s = 0; s < lengths[b]; s++, rows++) {
            float *x = room->x + (size_t)rows * w;
            embed(net, ids[(size_t)b * stride + s], x);
            for (int i = 0; i < w; i++) x[i] += net->positions[(size_t)s * w + i];
        }
    return rows;
}

/* One layer of the encoder. places (last,): the place of each sentence that is asked for alone, whose vectors then stand one behind
   the other; NULL: all. */
SIMD static void encoder_layer(const Net *net, const Layer *layer, const int64_t *lengths, const int64_t *places, int first, int last, int rows, Room *room) {
    const int w = net->width;
    normed(room->x, rows, w, layer->norm_attention, room);
    product(room->q, room->scale, rows, &layer->joint, (Into){room->joint, 3 * w, 0, 0});
    int asked = 0;
    for (int b = first, at = 0; b < last; at += lengths[b++]) {
        for (int s = 0; s < lengths[b]; s++) room->keys[s] = room->joint + (size_t)(at + s) * 3 * w + w;
        const int begin = places ? (int)places[b] : 0, end = places ? begin + 1 : (int)lengths[b];
        for (int s = begin; s < end; s++, asked++) {
            if (asked < at + s) memmove(room->x + (size_t)asked * w, room->x + (size_t)(at + s) * w, w * sizeof(float));
            attend(room->joint + (size_t)(at + s) * 3 * w, w, net->heads, room->keys, (int)lengths[b], room->weights, room->mixed + (size_t)asked * w);
        }
    }
    rounded(room->mixed, asked, w, room);
    product(room->q, room->scale, asked, &layer->out, (Into){room->x, w, 0, 1});
    feed(net, layer, asked, room);
}

/* Some sentences: their ids and lengths -> memory rows of decoders x (keys, values), each at its place. */
SIMD static void encode_some(const Net *net, const int64_t *ids, int stride, const int64_t *lengths, int first, int last, int longest, float *memory, Room *room) {
    const int w = net->width, rows = look_up(net, ids, stride, lengths, first, last, room);
    for (int l = 0; l < net->encoders; l++) encoder_layer(net, net->layers + l, lengths, NULL, first, last, rows, room);
    normed(room->x, rows, w, net->norm_encoder, room);
    const int both = 2 * w * net->decoders;
    for (int l = 0; l < net->decoders; l++)
        for (int b = first, at = 0; b < last; at += lengths[b++])
            product(room->q + (size_t)at * w, room->scale + at, (int)lengths[b], net->key_value + l, (Into){memory + (size_t)b * longest * both + (size_t)l * 2 * w, both, 0, 0});
}

/* How many rows the sentences have that go through a layer together, at most; -1 where an id or a length is out of range. */
static int most_rows(const Net *net, const int64_t *ids, int stride, const int64_t *lengths, int batch, int longest) {
    int most = 0, sum = 0;
    for (int b = 0; b < batch; b++) {
        if (lengths[b] < 1 || lengths[b] > longest || longest > stride || longest > net->longest) return -1;
        for (int s = 0; s < lengths[b]; s++)
            if (ids[(size_t)b * stride + s] < 0 || ids[(size_t)b * stride + s] >= net->pieces) return -1;
        if (sum + lengths[b] > TOKENS) sum = 0;
        sum += (int)lengths[b];
        if (sum > most) most = sum;
    }
    return most;
}

/* ids (batch, stride), lengths (batch,) -> memory (batch, longest, decoders x 2 x width). */
int encode(const Net *net, const int64_t *ids, int stride, const int64_t *lengths, int batch, int longest, float *memory) {
    const int most = most_rows(net, ids, stride, lengths, batch, longest);
    if (most < 0) return OUT_OF_RANGE;
    int sum = 0, first = 0;
    Room room;
    if (make_room(net, most, longest, &room)) return NO_MEMORY;
    for (int b = 0; b < batch; b++) {
        if (b > first && sum + lengths[b] > TOKENS) {
            encode_some(net, ids, stride, lengths, first, b, longest, memory, &room);
            first = b, sum = 0;
        }
        sum += (int)lengths[b];
    }
    if (first < batch) encode_some(net, ids, stride, lengths, first, batch, longest, memory, &room);
    free(room.all);
    return OK;
}

/* Scores of n pieces -> their log-probabilities, in their place. */
SIMD static void log_softmax(float *x, int n) {
    __m512 most = _mm512_set1_ps(-INFINITY), sum = _mm512_setzero_ps();
    for (int i = 0; i < n; i += LANES) {
        const __mmask16 mask = n - i >= LANES ? 0xffff : (__mmask16)((1 << (n - i)) - 1);
        most = _mm512_mask_max_ps(most, mask, most, _mm512_maskz_loadu_ps(mask, x + i));
    }
    const float top = _mm512_reduce_max_ps(most);
    for (int i = 0; i < n; i += LANES) {
        const __mmask16 mask = n - i >= LANES ? 0xffff : (__mmask16)((1 << (n - i)) - 1);
        sum = _mm512_add_ps(sum, _mm512_maskz_mov_ps(mask, exponential(_mm512_sub_ps(_mm512_maskz_loadu_ps(mask, x + i), _mm512_set1_ps(top)))));
    }
    const __m512 all = _mm512_set1_ps(top + logf(_mm512_reduce_add_ps(sum)));
    for (int i = 0; i < n; i += LANES) {
        const __mmask16 mask = n - i >= LANES ? 0xffff : (__mmask16)((1 << (n - i)) - 1);
        _mm512_mask_storeu_ps(x + i, mask, _mm512_sub_ps(_mm512_maskz_loadu_ps(mask, x + i), all));
    }
}

SIMD static void fill_some(const Net *net, const Matrix *table, const int64_t *ids, int stride, const int64_t *lengths, const int64_t *places, int first, int last, float *out, Room *room) {
    const int w = net->width, rows = look_up(net, ids, stride, lengths, first, last, room);
    for (int l = 0; l < net->encoders; l++)
        encoder_layer(net, net->layers + l, lengths, l + 1 == net->encoders ? places : NULL, first, last, rows, room);
    normed(room->x, last - first, w, net->norm_encoder, room);
    for (int b = first; b < last; b += SCORED) {
        const int some = last - b < SCORED ? last - b : SCORED;
        float *scores = out + (size_t)b * table->out;
        product(room->q + (size_t)(b - first) * w, room->scale + b - first, some, table, (Into){scores, table->out, 0, 0});
        for (int r = 0; r < some; r++) log_softmax(scores + (size_t)r * table->out, table->out);
    }
}

/* ids (batch, stride), lengths (batch,), places (batch,) -> log-probabilities of all pieces at each sentence's place (batch, pieces). */
int fill(const Net *net, const Matrix *table, const int64_t *ids, int stride, const int64_t *lengths, const int64_t *places, int batch, float *out) {
    const int longest = stride < net->longest ? stride : net->longest;
    const int most = most_rows(net, ids, stride, lengths, batch, longest);
    if (most < 0 || net->encoders < 1 || table->out != net->pieces) return OUT_OF_RANGE;
    for (int b = 0; b < batch; b++)
        if (places[b] < 0 || places[b] >= lengths[b]) return OUT_OF_RANGE;
    Room room;
    if (make_room(net, most, longest, &room)) return NO_MEMORY;
    int sum = 0, first = 0;
    for (int b = 0; b < batch; b++) {
        if (b > first && sum + lengths[b] > TOKENS) {
            fill_some(net, table, ids, stride, lengths, places, first, b, out, &room);
            first = b, sum = 0;
        }
        sum += (int)lengths[b];
    }
    if (first < batch) fill_some(net, table, ids, stride, lengths, places, first, batch, out, &room);
    free(room.all);
    return OK;
}

/* ---- decoder ------------------------------------------------------------------------------------------------- */

typedef struct {           /* what a step is given */
    int first, rows;       /* hypotheses: those from `first` on, `rows` of them; tokens, sentence, path, scores, found are theirs */
    int sentences;
    int length;            /* how many tokens each has before this one */
    const int64_t *tokens; /* (rows,) */
    const int64_t *sentence;     /* (rows,): of each hypothesis, which one of those that were encoded */
    const int32_t *path;         /* (rows, length + 1): which row each of its positions was in, at that step */
    float *const *past;          /* (length + 1,): of each step, keys and values (rows of then, decoders x 2 x width) */
    const int64_t *past_rows;    /* (length + 1,): how many rows each has */
    const float *memory;         /* (sentences, longest, decoders x 2 x width) */
    const int64_t *lengths;      /* (sentences,) */
    int longest;
    const int64_t *candidates;   /* (count,) */
    int count;
    const int8_t *packed;        /* the candidates' rows of the table */
    const float *scale;
    const int32_t *zero;
    const uint8_t *allowed;      /* (sentences, count), or NULL: all */
    int best;                    /* how many are returned */
    float *scores;               /* (rows, best) log-probabilities */
    int64_t *found;              /* (rows, best) ids */
} Step;

/* The best k of n scores with their log-probabilities, highest first, of equal ones the one before. allowed (n,): which count, or NULL. */
SIMD static void choose(float *x, int n, int k, const uint8_t *allowed, const int64_t *candidates, float *scores, int64_t *found) {
    __m512 most = _mm512_set1_ps(-INFINITY), sum = _mm512_setzero_ps();
    for (int i = 0; i < n; i += LANES) {
        const __mmask16 mask = n - i >= LANES ? 0xffff : (__mmask16)((1 << (n - i)) - 1);
        __m512 v = _mm512_maskz_loadu_ps(mask, x + i);
        if (allowed) {
            const __mmask16 not = _mm_mask_testn_epi8_mask(mask, _mm_maskz_loadu_epi8(mask, allowed + i), _mm_set1_epi8(-1));
            if (not) {
                v = _mm512_mask_add_ps(v, not, v, _mm512_set1_ps(NEVER));
                _mm512_mask_storeu_ps(x + i, mask, v);
            }
        }
        most = _mm512_mask_max_ps(most, mask, most, v);
    }
    const float top = _mm512_reduce_max_ps(most);
    for (int i = 0; i < n; i += LANES) {
        const __mmask16 mask = n - i >= LANES ? 0xffff : (__mmask16)((1 << (n - i)) - 1);
        sum = _mm512_add_ps(sum, _mm512_maskz_mov_ps(mask, exponential(_mm512_sub_ps(_mm512_maskz_loadu_ps(mask, x + i), _mm512_set1_ps(top)))));
    }
    const float all = top + logf(_mm512_reduce_add_ps(sum));
    /* Each lane's best is one of n scores, so that 16 of them are at least as high as the lowest of these. */
    const float floor = k <= LANES ? _mm512_reduce_min_ps(most) : -INFINITY;
    int kept = 0;
    for (int i = 0; i < n; i += LANES) {
        const __mmask16 mask = n - i >= LANES ? 0xffff : (__mmask16)((1 << (n - i)) - 1);
        const __m512 v = _mm512_maskz_loadu_ps(mask, x + i);
        unsigned better = kept < k ? _mm512_mask_cmp_ps_mask(mask, v, _mm512_set1_ps(floor), _CMP_GE_OQ)
                                   : _mm512_mask_cmp_ps_mask(mask, v, _mm512_set1_ps(scores[k - 1]), _CMP_GT_OQ);
        for (; better; better &= better - 1) {
            const int at = i + __builtin_ctz(better);
            if (kept == k && !(x[at] > scores[k - 1])) continue;
            int place = kept < k ? kept++ : k - 1;
            for (; place > 0 && scores[place - 1] < x[at]; place--) scores[place] = scores[place - 1], found[place] = found[place - 1];
            scores[place] = x[at], found[place] = candidates[at];
        }
    }
    for (; kept < k; kept++) scores[kept] = -INFINITY, found[kept] = candidates[0];  /* of scores that are no numbers */
    for (int i = 0; i < k; i++) scores[i] -= all;
}

SIMD static void decode_rows(const Net *net, const Step *s, Room *room, float *scored) {
    const int w = net->width, both = 2 * w * net->decoders, now = s->length;
    for (int r = 0; r < s->rows; r++) {
        float *x = room->x + (size_t)r * w;
        embed(net, s->tokens[r], x);
        for (int i = 0; i < w; i++) x[i] += (float)net->places[(size_t)now * w + i] * net->places_scale[now];
    }
    for (int l = 0; l < net->decoders; l++) {
        const Layer *layer = net->layers + net->encoders + l;
        normed(room->x, s->rows, w, layer->norm_attention, room);
        product(room->q, room->scale, s->rows, &layer->joint, (Into){room->joint, 3 * w, 0, 0});
        for (int r = 0; r < s->rows; r++)
            memcpy(s->past[now] + (size_t)(s->first + r) * both + (size_t)l * 2 * w, room->joint + (size_t)r * 3 * w + w, 2 * w * sizeof(float));
        for (int r = 0; r < s->rows; r++) {
            for (int t = 0; t <= now; t++)
                room->keys[t] = s->past[t] + (size_t)s->path[(size_t)r * (now + 1) + t] * both + (size_t)l * 2 * w;
            attend(room->joint + (size_t)r * 3 * w, w, net->heads, room->keys, now + 1, room->weights, room->mixed + (size_t)r * w);
        }
        rounded(room->mixed, s->rows, w, room);
        product(room->q, room->scale, s->rows, &layer->out, (Into){room->x, w, 0, 1});
        normed(room->x, s->rows, w, layer->norm_cross, room);
        product(room->q, room->scale, s->rows, &layer->query, (Into){room->joint, w, 0, 0});
        for (int r = 0; r < s->rows; r++) {
            const float *memory = s->memory + (size_t)s->sentence[r] * s->longest * both + (size_t)l * 2 * w;
            const int n = (int)s->lengths[s->sentence[r]];
            for (int t = 0; t < n; t++) room->keys[t] = memory + (size_t)t * both;
            attend(room->joint + (size_t)r * w, w, net->heads, room->keys, n, room->weights, room->mixed + (size_t)r * w);
        }
        rounded(room->mixed, s->rows, w, room);
        product(room->q, room->scale, s->rows, &layer->cross_out, (Into){room->x, w, 0, 1});
        feed(net, layer, s->rows, room);
    }
    normed(room->x, s->rows, w, net->norm_decoder, room);
    const int stride = (s->count + LANES - 1) / LANES * LANES;
    float *none = scored + (size_t)SCORED * stride;  /* a bias of zeros */
    memset(none, 0, stride * sizeof(float));
    const Matrix table = {w, s->count, (int8_t *)s->packed, (float *)s->scale, none, (int32_t *)s->zero};
    for (int first = 0; first < s->rows; first += SCORED) {
        const int some = s->rows - first < SCORED ? s->rows - first : SCORED;
        product(room->q + (size_t)first * w, room->scale + first, some, &table, (Into){scored, stride, 0, 0});
        for (int r = 0; r < some; r++) {
            float *x = scored + (size_t)r * stride;
            const uint8_t *allowed = s->allowed ? s->allowed + (size_t)s->sentence[first + r] * s->count : NULL;
            choose(x, s->count, s->best, allowed, s->candidates, s->scores + (size_t)(first + r) * s->best, s->found + (size_t)(first + r) * s->best);
        }
    }
}

int step(const Net *net, const Step *s) {
    if (s->length < 0 || s->length >= net->longest || s->longest > net->longest || s->best < 1 || s->best > s->count) return OUT_OF_RANGE;
    for (int b = 0; b < s->sentences; b++)
        if (s->lengths[b] < 1 || s->lengths[b] > s->longest) return OUT_OF_RANGE;
    for (int r = 0; r < s->rows; r++) {
        if (s->tokens[r] < 0 || s->tokens[r] >= net->pieces || s->sentence[r] < 0 || s->sentence[r] >= s->sentences) return OUT_OF_RANGE;
        for (int t = 0; t <= s->length; t++) {
            const int32_t row = s->path[(size_t)r * (s->length + 1) + t];
            if (row < 0 || row >= s->past_rows[t]) return OUT_OF_RANGE;
        }
    }
    if (s->first < 0 || s->rows < 1 || s->past_rows[s->length] < s->first + s->rows) return OUT_OF_RANGE;
    Room room;
    const int longest = s->longest > s->length + 1 ? s->longest : s->length + 1;
    if (make_room(net, s->rows, longest, &room)) return NO_MEMORY;
    float *scored = aligned((size_t)(SCORED + 1) * ((s->count + LANES - 1) / LANES * LANES) * sizeof(float));
    if (scored) decode_rows(net, s, &room, scored);
    free(scored);
    free(room.all);
    return scored ? OK : NO_MEMORY;
}
