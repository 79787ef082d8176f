/**
 * What a picture is called: its product's name; without a product what its page says of the picture itself, since the page's title is
 * often that of a whole list.
 */
export function captionOf(picture: { title: string; alt: string }, hasProduct: boolean): string {
  return hasProduct || picture.alt === '' ? picture.title : picture.alt
}
