/** Names of files that say they are pictures; some are of forms that are not read, and an error then says what to do. */
export const PICTURE = /\.(jpe?g|jfif|jpe|png|webp|bmp|gif|tiff?|avif|svg|heic|heif)$/i;
