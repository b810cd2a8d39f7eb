"""More tiny pipelines, for the tests that are marked long. Apart, since importing their classes takes seconds."""

from diffusers import (
    AutoencoderKL,
    AutoencoderKLHunyuanVideo,
    AutoencoderKLLTX2Audio,
    AutoencoderKLLTX2Video,
    AutoencoderKLMochi,
    AutoencoderKLWan,
    CogVideoXDDIMScheduler,
    CogVideoXPipeline,
    DPMSolverMultistepScheduler,
    FlowMatchEulerDiscreteScheduler,
    FluxPipeline,
    FluxTransformer2DModel,
    HunyuanVideoPipeline,
    HunyuanVideoTransformer3DModel,
    LTX2Pipeline,
    LTX2VideoTransformer3DModel,
    LTXConditionPipeline,
    MochiPipeline,
    MochiTransformer3DModel,
    SanaVideoPipeline,
    SanaVideoTransformer3DModel,
    SD3Transformer2DModel,
    StableDiffusion3Pipeline,
    WanImageToVideoPipeline,
    WanTransformer3DModel,
)
from diffusers.pipelines.ltx2 import LTX2TextConnectors
from diffusers.pipelines.ltx2.vocoder import LTX2Vocoder
from transformers import (
    CLIPImageProcessor,
    CLIPTextModel,
    CLIPTextModelWithProjection,
    CLIPVisionConfig,
    CLIPVisionModelWithProjection,
    Gemma2Config,
    Gemma2Model,
    LlamaConfig,
    LlamaModel,
    T5Config,
    T5EncoderModel,
)

from tests.engines.diffusers.tiny_pipelines import clip_text, clip_tokenizer, cogvideox, ltx, t5, t5_tokenizer, wan

LANGUAGE = {
    "vocab_size": 128,
    "hidden_size": 16,
    "intermediate_size": 32,
    "num_attention_heads": 2,
    "num_key_value_heads": 2,
    "num_hidden_layers": 3,
    "head_dim": 8,
    "pad_token_id": 0,
}
"""The size of a language model that encodes prompts."""


def cogvideox_ddim():
    parts = cogvideox()
    return parts | {"scheduler": CogVideoXDDIMScheduler.from_config(parts["scheduler"].config)}


def wan_flf2v():
    vision = CLIPVisionConfig(
        hidden_size=4,
        projection_dim=4,
        num_hidden_layers=2,
        num_attention_heads=2,
        image_size=4,
        intermediate_size=16,
        patch_size=1,
    )
    transformer = WanTransformer3DModel(
        patch_size=(1, 2, 2),
        num_attention_heads=2,
        attention_head_dim=12,
        in_channels=36,
        out_channels=16,
        text_dim=32,
        freq_dim=256,
        ffn_dim=32,
        num_layers=2,
        rope_max_seq_len=32,
        image_dim=4,
        pos_embed_seq_len=2 * (4 * 4 + 1),
    )
    return wan() | {
        "transformer": transformer,
        "image_encoder": CLIPVisionModelWithProjection(vision).eval(),
        "image_processor": CLIPImageProcessor(crop_size=4, size=4),
    }


def mochi():
    return {
        "tokenizer": t5_tokenizer(),
        "text_encoder": T5EncoderModel(T5Config(**t5())).eval(),
        "vae": AutoencoderKLMochi(
            latent_channels=12,
            encoder_block_out_channels=(32, 32, 32, 32),
            decoder_block_out_channels=(32, 32, 32, 32),
            layers_per_block=(1, 1, 1, 1, 1),
        ),
        "transformer": MochiTransformer3DModel(
            num_attention_heads=2,
            attention_head_dim=8,
            num_layers=2,
            pooled_projection_dim=16,
            in_channels=12,
            text_embed_dim=32,
            time_embed_dim=4,
            max_sequence_length=256,
        ),
        "scheduler": FlowMatchEulerDiscreteScheduler(),
    }


def hunyuan_video():
    return {
        "tokenizer": t5_tokenizer(),
        "text_encoder": LlamaModel(LlamaConfig(**LANGUAGE)).eval(),
        "tokenizer_2": clip_tokenizer(),
        "text_encoder_2": CLIPTextModel(clip_text()).eval(),
        "vae": AutoencoderKLHunyuanVideo(
            latent_channels=4, block_out_channels=(8, 8, 8, 8), layers_per_block=1, norm_num_groups=4
        ),
        "transformer": HunyuanVideoTransformer3DModel(
            in_channels=4,
            out_channels=4,
            num_attention_heads=2,
            attention_head_dim=10,
            num_layers=1,
            num_single_layers=1,
            num_refiner_layers=1,
            text_embed_dim=16,
            pooled_projection_dim=32,
            rope_axes_dim=(2, 4, 4),
        ),
        "scheduler": FlowMatchEulerDiscreteScheduler(shift=7.0),
    }


def sana_video():
    return {
        "tokenizer": t5_tokenizer(),
        "text_encoder": Gemma2Model(Gemma2Config(**LANGUAGE, attn_implementation="eager")).eval(),
        "vae": AutoencoderKLWan(
            base_dim=3, z_dim=16, dim_mult=[1, 1, 1, 1], num_res_blocks=1, temperal_downsample=[False, True, True]
        ),
        "transformer": SanaVideoTransformer3DModel(
            in_channels=16,
            out_channels=16,
            num_attention_heads=2,
            attention_head_dim=12,
            num_layers=2,
            num_cross_attention_heads=2,
            cross_attention_head_dim=12,
            cross_attention_dim=24,
            caption_channels=16,
            sample_size=8,
            qk_norm="rms_norm_across_heads",
            rope_max_seq_len=32,
        ),
        "scheduler": DPMSolverMultistepScheduler(
            prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=3.0
        ),
    }


def ltx_2():
    """Makes sound too. Its text encoder has a language model's layers; the class of it does not matter."""
    encoder = Gemma2Model(Gemma2Config(**LANGUAGE, attn_implementation="eager")).eval()
    size, layers = LANGUAGE["hidden_size"], LANGUAGE["num_hidden_layers"] + 1
    audio_vae = AutoencoderKLLTX2Audio(
        base_channels=4,
        ch_mult=(1,),
        num_res_blocks=1,
        resolution=32,
        latent_channels=2,
        mel_bins=8,
    )
    return {
        "tokenizer": t5_tokenizer(),
        "text_encoder": encoder,
        "connectors": LTX2TextConnectors(
            caption_channels=size,
            text_proj_in_factor=layers,
            video_connector_num_attention_heads=2,
            video_connector_attention_head_dim=8,
            video_connector_num_layers=1,
            video_connector_num_learnable_registers=None,
            audio_connector_num_attention_heads=2,
            audio_connector_attention_head_dim=8,
            audio_connector_num_layers=1,
            audio_connector_num_learnable_registers=None,
            connector_rope_base_seq_len=32,
            rope_theta=10000.0,
            rope_double_precision=False,
            causal_temporal_positioning=False,
            rope_type="split",
        ),
        "vae": AutoencoderKLLTX2Video(
            latent_channels=4,
            block_out_channels=(8, 8, 8),
            decoder_block_out_channels=(8, 8, 8),
            layers_per_block=(1, 1, 1, 1),
            decoder_layers_per_block=(1, 1, 1, 1),
            spatio_temporal_scaling=(True, True, True),
            decoder_spatio_temporal_scaling=(True, True, True),
            decoder_inject_noise=(False, False, False, False),
            downsample_type=("spatial", "temporal", "spatiotemporal"),
            upsample_residual=(False, False, False),
            upsample_factor=(1, 1, 1),
        ),
        "audio_vae": audio_vae,
        "vocoder": LTX2Vocoder(
            in_channels=audio_vae.config.output_channels * audio_vae.config.mel_bins,
            hidden_channels=32,
            upsample_kernel_sizes=[16, 11],
            upsample_factors=[16, 10],
            resnet_kernel_sizes=[3],
            resnet_dilations=[[1, 3, 5]],
            output_sampling_rate=16000,
        ),
        "transformer": LTX2VideoTransformer3DModel(
            in_channels=4,
            out_channels=4,
            num_attention_heads=2,
            attention_head_dim=8,
            cross_attention_dim=16,
            audio_in_channels=4,
            audio_out_channels=4,
            audio_num_attention_heads=2,
            audio_attention_head_dim=4,
            audio_cross_attention_dim=8,
            num_layers=2,
            caption_channels=size,
            rope_double_precision=False,
            rope_type="split",
        ),
        "scheduler": FlowMatchEulerDiscreteScheduler(),
    }


def stable_diffusion_3():
    return {
        "tokenizer": clip_tokenizer(),
        "tokenizer_2": clip_tokenizer(),
        "tokenizer_3": t5_tokenizer(),
        "text_encoder": CLIPTextModelWithProjection(clip_text()).eval(),
        "text_encoder_2": CLIPTextModelWithProjection(clip_text()).eval(),
        "text_encoder_3": T5EncoderModel(T5Config(**t5() | {"d_model": 64})).eval(),
        "vae": _picture_vae(),
        "transformer": SD3Transformer2DModel(
            sample_size=8,
            patch_size=2,
            in_channels=4,
            out_channels=4,
            num_layers=1,
            attention_head_dim=8,
            num_attention_heads=4,
            caption_projection_dim=32,
            joint_attention_dim=64,
            pooled_projection_dim=64,
        ),
        "scheduler": FlowMatchEulerDiscreteScheduler(shift=3.0),
    }


def flux():
    return {
        "tokenizer": clip_tokenizer(),
        "tokenizer_2": t5_tokenizer(),
        "text_encoder": CLIPTextModel(clip_text()).eval(),
        "text_encoder_2": T5EncoderModel(T5Config(**t5())).eval(),
        "vae": _picture_vae(),
        "transformer": FluxTransformer2DModel(
            in_channels=16,
            num_layers=1,
            num_single_layers=1,
            attention_head_dim=16,
            num_attention_heads=2,
            joint_attention_dim=32,
            pooled_projection_dim=32,
            axes_dims_rope=[4, 4, 8],
            guidance_embeds=True,
        ),
        "scheduler": FlowMatchEulerDiscreteScheduler(),
    }


def _picture_vae():
    return AutoencoderKL(
        block_out_channels=(8, 8, 8, 8),
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        norm_num_groups=2,
        sample_size=64,
        use_quant_conv=False,
        use_post_quant_conv=False,
        shift_factor=0.0609,
        scaling_factor=1.5035,
    )


BUILDERS = {
    "cogvideox-ddim": lambda: CogVideoXPipeline(**cogvideox_ddim()),
    "flux": lambda: FluxPipeline(**flux()),
    "hunyuan-video": lambda: HunyuanVideoPipeline(**hunyuan_video()),
    "ltx-2": lambda: LTX2Pipeline(**ltx_2()),
    "ltx-condition": lambda: LTXConditionPipeline(**ltx()),
    "mochi": lambda: MochiPipeline(**mochi()),
    "sana-video": lambda: SanaVideoPipeline(**sana_video()),
    "stable-diffusion-3": lambda: StableDiffusion3Pipeline(**stable_diffusion_3()),
    "wan-flf2v": lambda: WanImageToVideoPipeline(**wan_flf2v()),
}
