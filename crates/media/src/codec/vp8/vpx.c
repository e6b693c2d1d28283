// The few calls of libvpx that Vireo makes. They stand in C because libvpx checks at run time that the caller was built
// with the headers of the same release, and its structures grow from release to release: the compiler that sees the
// installed headers keeps both right, whichever release a system has.

#include <stdlib.h>
#include <string.h>

#include <vpx/vp8cx.h>
#include <vpx/vp8dx.h>
#include <vpx/vpx_decoder.h>
#include <vpx/vpx_encoder.h>

struct vireo_vp8_encoder {
  vpx_codec_ctx_t context;
  vpx_codec_enc_cfg_t config;
};

// How large a key frame may be, in percent of an average frame: what half of the optimal buffer holds.
static unsigned max_key_frame_percent(const vpx_codec_enc_cfg_t *config, unsigned frame_rate) {
  unsigned percent = config->rc_buf_optimal_sz / 2 * frame_rate / 10;
  return percent < 300 ? 300 : percent;
}

struct vireo_vp8_encoder *vireo_vp8_encoder_new(unsigned width, unsigned height, unsigned kilobits, unsigned frame_rate,
                                                int speed) {
  struct vireo_vp8_encoder *encoder = calloc(1, sizeof *encoder);
  if (!encoder) return NULL;
  vpx_codec_enc_cfg_t *config = &encoder->config;
  if (vpx_codec_enc_config_default(vpx_codec_vp8_cx(), config, 0) != VPX_CODEC_OK) {
    free(encoder);
    return NULL;
  }
  config->g_w = width;
  config->g_h = height;
  config->g_timebase.num = 1;
  config->g_timebase.den = 90000;
  config->g_threads = 1;
  config->g_pass = VPX_RC_ONE_PASS;
  config->g_lag_in_frames = 0;
  // Every frame can be read without the entropy contexts of the one before it.
  config->g_error_resilient = VPX_ERROR_RESILIENT_DEFAULT;
  config->rc_end_usage = VPX_CBR;
  config->rc_resize_allowed = 0;
  config->rc_dropframe_thresh = 10;
  config->rc_min_quantizer = 2;
  config->rc_max_quantizer = 56;
  config->rc_undershoot_pct = 100;
  config->rc_overshoot_pct = 15;
  config->rc_buf_initial_sz = 500;
  config->rc_buf_optimal_sz = 600;
  config->rc_buf_sz = 1000;
  // Key frames come when they are asked for.
  config->kf_mode = VPX_KF_DISABLED;
  config->rc_target_bitrate = kilobits;
  if (vpx_codec_enc_init(&encoder->context, vpx_codec_vp8_cx(), config, 0) != VPX_CODEC_OK) {
    free(encoder);
    return NULL;
  }
  vpx_codec_control(&encoder->context, VP8E_SET_CPUUSED, speed);
  vpx_codec_control(&encoder->context, VP8E_SET_STATIC_THRESHOLD, 100u);
  vpx_codec_control(&encoder->context, VP8E_SET_NOISE_SENSITIVITY, 0u);
  vpx_codec_control(&encoder->context, VP8E_SET_TOKEN_PARTITIONS, VP8_ONE_TOKENPARTITION);
  vpx_codec_control(&encoder->context, VP8E_SET_MAX_INTRA_BITRATE_PCT, max_key_frame_percent(config, frame_rate));
  return encoder;
}

void vireo_vp8_encoder_free(struct vireo_vp8_encoder *encoder) {
  if (!encoder) return;
  vpx_codec_destroy(&encoder->context);
  free(encoder);
}

int vireo_vp8_encoder_set_rate(struct vireo_vp8_encoder *encoder, unsigned kilobits, unsigned frame_rate) {
  // Each frame carries its own duration; the rate of frames only limits how large a key frame may be.
  encoder->config.rc_target_bitrate = kilobits;
  vpx_codec_control(&encoder->context, VP8E_SET_MAX_INTRA_BITRATE_PCT,
                    max_key_frame_percent(&encoder->config, frame_rate));
  return vpx_codec_enc_config_set(&encoder->context, &encoder->config);
}

// Codes one picture of tight I420 planes. Returns libvpx's error code. No data: the frame was dropped.
int vireo_vp8_encode(struct vireo_vp8_encoder *encoder, const unsigned char *planes, long long time, unsigned long duration,
                     int key_frame, const unsigned char **data, size_t *length, int *is_key_frame) {
  vpx_image_t image;
  *data = NULL;
  *length = 0;
  *is_key_frame = 0;
  if (!vpx_img_wrap(&image, VPX_IMG_FMT_I420, encoder->config.g_w, encoder->config.g_h, 1, (unsigned char *)planes))
    return VPX_CODEC_MEM_ERROR;
  // Planes are tight, with chroma rows rounded up, which is not what the wrapper assumes for odd sizes.
  unsigned chroma_width = (encoder->config.g_w + 1) / 2, chroma_height = (encoder->config.g_h + 1) / 2;
  image.stride[VPX_PLANE_Y] = (int)encoder->config.g_w;
  image.stride[VPX_PLANE_U] = image.stride[VPX_PLANE_V] = (int)chroma_width;
  image.planes[VPX_PLANE_Y] = (unsigned char *)planes;
  image.planes[VPX_PLANE_U] = image.planes[VPX_PLANE_Y] + (size_t)encoder->config.g_w * encoder->config.g_h;
  image.planes[VPX_PLANE_V] = image.planes[VPX_PLANE_U] + (size_t)chroma_width * chroma_height;
  vpx_codec_err_t result = vpx_codec_encode(&encoder->context, &image, time, duration,
                                            key_frame ? VPX_EFLAG_FORCE_KF : 0, VPX_DL_REALTIME);
  if (result != VPX_CODEC_OK) return result;
  vpx_codec_iter_t iterator = NULL;
  const vpx_codec_cx_pkt_t *packet;
  while ((packet = vpx_codec_get_cx_data(&encoder->context, &iterator))) {
    if (packet->kind != VPX_CODEC_CX_FRAME_PKT) continue;
    *data = packet->data.frame.buf;
    *length = packet->data.frame.sz;
    *is_key_frame = (packet->data.frame.flags & VPX_FRAME_IS_KEY) != 0;
  }
  return VPX_CODEC_OK;
}

vpx_codec_ctx_t *vireo_vp8_decoder_new(void) {
  vpx_codec_ctx_t *decoder = calloc(1, sizeof *decoder);
  if (!decoder) return NULL;
  vpx_codec_dec_cfg_t config;
  memset(&config, 0, sizeof config);
  config.threads = 1;
  if (vpx_codec_dec_init(decoder, vpx_codec_vp8_dx(), &config, 0) != VPX_CODEC_OK) {
    free(decoder);
    return NULL;
  }
  return decoder;
}

void vireo_vp8_decoder_free(vpx_codec_ctx_t *decoder) {
  if (!decoder) return;
  vpx_codec_destroy(decoder);
  free(decoder);
}

// Decodes one frame. Returns libvpx's error code; a width of 0 means that there is nothing to show.
int vireo_vp8_decode(vpx_codec_ctx_t *decoder, const unsigned char *data, unsigned length, const unsigned char **planes,
                     int *strides, unsigned *width, unsigned *height) {
  *width = *height = 0;
  vpx_codec_err_t result = vpx_codec_decode(decoder, data, length, NULL, 0);
  if (result != VPX_CODEC_OK) return result;
  vpx_codec_iter_t iterator = NULL;
  const vpx_image_t *image = vpx_codec_get_frame(decoder, &iterator);
  if (!image) return VPX_CODEC_OK;
  int corrupted = 0;
  if (vpx_codec_control(decoder, VP8D_GET_FRAME_CORRUPTED, &corrupted) == VPX_CODEC_OK && corrupted)
    return VPX_CODEC_CORRUPT_FRAME;
  if (image->fmt != VPX_IMG_FMT_I420) return VPX_CODEC_UNSUP_BITSTREAM;
  for (int plane = 0; plane < 3; plane++) {
    planes[plane] = image->planes[plane];
    strides[plane] = image->stride[plane];
  }
  *width = image->d_w;
  *height = image->d_h;
  return VPX_CODEC_OK;
}
