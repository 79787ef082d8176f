#pragma once
// Loops over pixels are compiled twice, for plain x86-64 and for AVX2, and the machine's one is chosen when the program starts. Without
// fused multiplication, so both give the same bits. Sanitized programs have the plain ones: their start cannot choose yet.

#if defined(__x86_64__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define MAGPIE_WIDE __attribute__((target_clones("avx2", "default")))
#else
#define MAGPIE_WIDE
#endif
