"""Pipelines with random weights, small enough to render in a second. They are saved, and loaded as any model.

Their compression is that of the real ones, so sizes and frames follow the same rules.
"""

import importlib
import string

import torch
from diffusers import (
    AutoencoderKL,
    AutoencoderKLCogVideoX,
    AutoencoderKLHunyuanVideo15,
    AutoencoderKLLTXVideo,
    AutoencoderKLWan,
    CogVideoXDPMScheduler,
    CogVideoXPipeline,
    CogVideoXTransformer3DModel,
    EulerAncestralDiscreteScheduler,
    FlowMatchEulerDiscreteScheduler,
    HunyuanVideo15Pipeline,
    HunyuanVideo15Transformer3DModel,
    LTXImageToVideoPipeline,
    LTXPipeline,
    LTXVideoTransformer3DModel,
    StableDiffusionXLPipeline,
    UNet2DConditionModel,
    UniPCMultistepScheduler,
    WanImageToVideoPipeline,
    WanPipeline,
    WanTransformer3DModel,
)
from diffusers.guiders import ClassifierFreeGuidance
from tokenizers.pre_tokenizers import ByteLevel
from transformers import (
    ByT5Tokenizer,
    CLIPTextConfig,
    CLIPTextModel,
    CLIPTextModelWithProjection,
    CLIPTokenizer,
    Qwen2Tokenizer,
    T5Config,
    T5EncoderModel,
    T5Tokenizer,
    UMT5Config,
    UMT5EncoderModel,
)
from transformers.models.qwen2_5_vl.configuration_qwen2_5_vl import Qwen2_5_VLTextConfig
from transformers.models.qwen2_5_vl.modeling_qwen2_5_vl import Qwen2_5_VLTextModel

CHARACTERS = string.ascii_letters + string.digits + string.punctuation


def wan(transformer_channels=16):
    return {
        "tokenizer": t5_tokenizer(),
        "text_encoder": UMT5EncoderModel(UMT5Config(**t5(), pad_token_id=0, eos_token_id=1)).eval(),
        "vae": AutoencoderKLWan(
            base_dim=3, z_dim=16, dim_mult=[1, 1, 1, 1], num_res_blocks=1, temperal_downsample=[False, True, True]
        ),
        "transformer": WanTransformer3DModel(
            patch_size=(1, 2, 2),
            num_attention_heads=2,
            attention_head_dim=12,
            in_channels=transformer_channels,
            out_channels=16,
            text_dim=32,
            freq_dim=256,
            ffn_dim=32,
            num_layers=2,
            rope_max_seq_len=32,
        ),
        "scheduler": UniPCMultistepScheduler(
            prediction_type="flow_prediction", use_flow_sigmas=True, num_train_timesteps=1000, flow_shift=3.0
        ),
    }


def ltx():
    channels, once = (8, 8, 8, 8), (1, 1, 1, 1, 1)
    return {
        "tokenizer": t5_tokenizer(),
        "text_encoder": T5EncoderModel(T5Config(**t5())).eval(),
        "vae": AutoencoderKLLTXVideo(
            latent_channels=8,
            block_out_channels=channels,
            decoder_block_out_channels=channels,
            layers_per_block=once,
            decoder_layers_per_block=once,
        ),
        "transformer": LTXVideoTransformer3DModel(
            in_channels=8,
            out_channels=8,
            num_attention_heads=4,
            attention_head_dim=8,
            cross_attention_dim=32,
            num_layers=2,
            caption_channels=32,
        ),
        "scheduler": FlowMatchEulerDiscreteScheduler(),
    }


def cogvideox():
    channels = (8, 8, 8, 8)
    return {
        "tokenizer": t5_tokenizer(),
        "text_encoder": T5EncoderModel(T5Config(**t5())).eval(),
        "vae": AutoencoderKLCogVideoX(
            block_out_channels=channels, latent_channels=4, layers_per_block=1, norm_num_groups=2
        ),
        "transformer": CogVideoXTransformer3DModel(
            num_attention_heads=4,
            attention_head_dim=8,
            in_channels=4,
            out_channels=4,
            time_embed_dim=2,
            text_embed_dim=32,
            num_layers=2,
            sample_width=8,
            sample_height=8,
            sample_frames=9,
        ),
        "scheduler": CogVideoXDPMScheduler(
            beta_schedule="scaled_linear", prediction_type="v_prediction", timestep_spacing="trailing"
        ),
    }


def hunyuan_video_15():
    alphabet = {symbol: number for number, symbol in enumerate(["<|endoftext|>", *sorted(ByteLevel.alphabet())])}
    template = "{% for message in messages %}{{ message['content'] }}{% endfor %}"
    text = Qwen2_5_VLTextConfig(
        vocab_size=len(alphabet) + 8,
        hidden_size=16,
        intermediate_size=16,
        num_hidden_layers=3,
        num_attention_heads=2,
        num_key_value_heads=2,
        rope_scaling={"mrope_section": [1, 1, 2], "rope_type": "default", "rope_theta": 1000000.0},
    )
    return {
        "tokenizer": Qwen2Tokenizer(vocab=alphabet, merges=[], chat_template=template),
        "text_encoder": Qwen2_5_VLTextModel(text).eval(),
        "tokenizer_2": ByT5Tokenizer(),
        "text_encoder_2": T5EncoderModel(T5Config(**t5(vocabulary=400))).eval(),
        "vae": AutoencoderKLHunyuanVideo15(
            latent_channels=4, block_out_channels=(16, 16, 16, 16, 16), layers_per_block=1
        ),
        "transformer": HunyuanVideo15Transformer3DModel(
            in_channels=9,
            out_channels=4,
            num_attention_heads=2,
            attention_head_dim=16,
            num_layers=2,
            num_refiner_layers=1,
            mlp_ratio=2.0,
            text_embed_dim=16,
            text_embed_2_dim=32,
            image_embed_dim=12,
            rope_axes_dim=(4, 6, 6),
            target_size=64,
            task_type="t2v",
        ),
        "scheduler": FlowMatchEulerDiscreteScheduler(shift=5.0),
        "guider": ClassifierFreeGuidance(guidance_scale=6.0),
    }


def sdxl():
    text, tokenizer = clip_text(), clip_tokenizer()
    return {
        "tokenizer": tokenizer,
        "tokenizer_2": tokenizer,
        "text_encoder": CLIPTextModel(text).eval(),
        "text_encoder_2": CLIPTextModelWithProjection(text).eval(),
        "vae": AutoencoderKL(
            block_out_channels=(8, 8, 8, 8),
            down_block_types=("DownEncoderBlock2D",) * 4,
            up_block_types=("UpDecoderBlock2D",) * 4,
            norm_num_groups=2,
            sample_size=64,
        ),
        "unet": UNet2DConditionModel(
            block_out_channels=(8, 16),
            layers_per_block=1,
            sample_size=8,
            down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
            up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
            attention_head_dim=(2, 4),
            use_linear_projection=True,
            addition_embed_type="text_time",
            addition_time_embed_dim=8,
            transformer_layers_per_block=(1, 1),
            projection_class_embeddings_input_dim=80,
            cross_attention_dim=64,
            norm_num_groups=1,
        ),
        # One that draws random numbers in every step: a resumed render must draw the same.
        "scheduler": EulerAncestralDiscreteScheduler(
            beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", timestep_spacing="trailing"
        ),
    }


BUILDERS = {
    "wan": lambda: WanPipeline(**wan()),
    "ltx": lambda: LTXPipeline(**ltx()),
    "sdxl": lambda: StableDiffusionXLPipeline(**sdxl()),
    "wan-i2v": lambda: WanImageToVideoPipeline(**wan(transformer_channels=36)),
    "cogvideox": lambda: CogVideoXPipeline(**cogvideox()),
    "hunyuan-video-1.5": lambda: HunyuanVideo15Pipeline(**hunyuan_video_15()),
    "ltx-i2v": lambda: LTXImageToVideoPipeline(**ltx()),
}


def save(name, folder):
    """Save a pipeline to a folder, as its author would."""
    builder = BUILDERS.get(name) or importlib.import_module("tests.engines.diffusers.tiny_families").BUILDERS[name]
    torch.manual_seed(0)
    builder().save_pretrained(folder, safe_serialization=True)


def t5_tokenizer():
    pieces = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("▁", -2.0), *((symbol, -3.0) for symbol in CHARACTERS)]
    return T5Tokenizer(vocab=pieces, extra_ids=0)


def t5(vocabulary=128):
    return {"vocab_size": vocabulary, "d_model": 32, "d_kv": 8, "d_ff": 37, "num_layers": 2, "num_heads": 4}


def clip_tokenizer():
    vocabulary = {symbol: number for number, symbol in enumerate(_clip_symbols())}
    return CLIPTokenizer(vocab=vocabulary, merges=[], model_max_length=77)


def clip_text():
    return CLIPTextConfig(
        vocab_size=len(_clip_symbols()) + 8,
        hidden_size=32,
        intermediate_size=37,
        num_attention_heads=4,
        num_hidden_layers=3,
        projection_dim=32,
        hidden_act="gelu",
        bos_token_id=0,
        eos_token_id=1,
        pad_token_id=1,
    )


def _clip_symbols():
    symbols = ["<|startoftext|>", "<|endoftext|>", *CHARACTERS.lower()]
    return [*dict.fromkeys(symbols), *(f"{symbol}</w>" for symbol in dict.fromkeys(CHARACTERS.lower()))]
