/* Writes a CMYK picture as JPEG, and the samples that libjpeg decodes from it, because cjpeg cannot write four components.
   Arguments: the JPEG file, the file for the samples, the color space (cmyk or ycck), whether it is progressive (0 or 1), the
   restart interval, and the horizontal and vertical sampling factors of each component. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <jpeglib.h>

enum { WIDTH = 21, HEIGHT = 19 };

int main(int count, char **arguments) {
    if (count != 14) return 1;
    struct jpeg_error_mgr errors;
    JSAMPLE samples[4 * WIDTH];
    JSAMPROW row = samples;

    struct jpeg_compress_struct to = {.err = jpeg_std_error(&errors)};
    jpeg_create_compress(&to);
    FILE *file = fopen(arguments[1], "wb");
    jpeg_stdio_dest(&to, file);
    to.image_width = WIDTH;
    to.image_height = HEIGHT;
    to.input_components = 4;
    to.in_color_space = JCS_CMYK;
    jpeg_set_defaults(&to);
    jpeg_set_colorspace(&to, arguments[3][0] == 'y' ? JCS_YCCK : JCS_CMYK);
    jpeg_set_quality(&to, 90, TRUE);
    to.optimize_coding = TRUE;
    if (atoi(arguments[4])) jpeg_simple_progression(&to);
    to.restart_interval = atoi(arguments[5]);
    for (int i = 0; i < 4; i++) {
        to.comp_info[i].h_samp_factor = atoi(arguments[6 + 2 * i]);
        to.comp_info[i].v_samp_factor = atoi(arguments[7 + 2 * i]);
    }
    jpeg_start_compress(&to, TRUE);
    for (int y = 0; y < HEIGHT; y++) {
        for (int x = 0; x < WIDTH; x++) {
            samples[4 * x] = 128 + 100 * sin(x / 9.0 + 0.5) * cos(y / 11.0);
            samples[4 * x + 1] = 128 + 100 * cos(x / 12.0 + y / 14.0);
            samples[4 * x + 2] = 128 + 100 * sin((x - y) / 10.0 + 1);
            samples[4 * x + 3] = 128 + 100 * sin((x + y) / 8.0);
        }
        jpeg_write_scanlines(&to, &row, 1);
    }
    jpeg_finish_compress(&to);
    fclose(file);

    struct jpeg_decompress_struct from = {.err = jpeg_std_error(&errors)};
    jpeg_create_decompress(&from);
    file = fopen(arguments[1], "rb");
    jpeg_stdio_src(&from, file);
    jpeg_read_header(&from, TRUE);
    from.out_color_space = JCS_CMYK;
    from.dct_method = JDCT_ISLOW;
    jpeg_start_decompress(&from);
    FILE *decoded = fopen(arguments[2], "wb");
    while (from.output_scanline < from.output_height) {
        jpeg_read_scanlines(&from, &row, 1);
        fwrite(samples, 1, sizeof samples, decoded);
    }
    return fclose(decoded);
}
