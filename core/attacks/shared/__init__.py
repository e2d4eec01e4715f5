"""What several attacks share: checked inputs, the gradient, chunks of images, previews."""
